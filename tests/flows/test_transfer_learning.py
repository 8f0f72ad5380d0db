"""The flow on the real data with few epochs, and what its cache promises."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL
from prefect.task_runners import ThreadPoolTaskRunner

from tasks import train
from tasks.download import download
from tasks.experiment.data import fashion_mnist, mirrors
from tasks.experiment.networks.tuning.grid import Grid
from tasks.storage.roots import ROOT
from tests.support.runs import QUICK, flags, run_experiment

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(scope="module")
def first(artifacts: Path) -> dict:
    return run_experiment()[0]


def test_the_run_folder_holds_what_was_promised(artifacts: Path, first: dict) -> None:
    latest = artifacts / "latest"
    names = {str(f.relative_to(latest.resolve())) for f in latest.resolve().rglob("*") if f.is_file()}
    assert {f"models/{m}.keras" for m in ("A", "B_scratch", "B_on_A")} <= names
    assert {"metrics.json", "report.html", "report.md", "plots/curves.png", "plots/pairs.png"} <= names
    came_from = Counter(path.split("/")[1] for path in json.loads((latest / "run.json").read_text())["artifacts"])
    once = {"normalize": 1, "split_A": 1, "split_B": 1, "evaluate": 1, "report": 1}
    assert came_from == once | {"train_A": 2, "train_B_scratch": 2, "transfer_B_on_A": 2}
    run = json.loads((latest / "metrics.json").read_text())["run"]
    folder = latest.resolve().name
    assert (run["name"], run["flow"]) == (folder, "transfer-learning")
    assert re.fullmatch(r"\d{8}-\d{6}-200-samples-seeds-42-43-[0-9a-f]{8}", run["name"])
    assert run["date"] == json.loads((latest / "run.json").read_text())["time"]
    assert run["command"].startswith(".venv/bin/python -m flows.transfer_learning --experiment.source-epochs=1 ")
    assert f"run {run['name']} · commit" in (latest / "report.md").read_text()
    assert folder in (artifacts / "runs" / "index.html").read_text()
    assert [r["seed"] for r in first["replicates"]] == [42, 43]
    assert first["error_reduction"]["n"] == 2
    scratch, transfer = (
        np.mean([1 - r[arm]["accuracy"] for r in first["replicates"]]) for arm in ("scratch", "transfer")
    )
    assert first["error_reduction"]["estimate"] == pytest.approx(100 * (1 - transfer / scratch))


def test_every_epoch_is_in_a_table(artifacts: Path, first: dict) -> None:
    run_experiment()
    epochs = pd.read_csv(artifacts / "latest" / "epochs.csv").set_index(["network", "seed", "epoch"])
    lengths = {"A": QUICK.source_epochs, "B_scratch": QUICK.target_epochs, "B_on_A": QUICK.target_epochs}
    expected = [
        (name, seed, epoch) for name, last in lengths.items() for seed in (42, 43) for epoch in range(1, last + 1)
    ]
    assert sorted(epochs.index) == sorted(expected)
    last = epochs.loc[[(name, 42, length) for name, length in lengths.items()]]
    assert set(epochs) == {"loss", "accuracy", "validation_loss", "validation_accuracy"}
    assert last["validation_accuracy"].between(0, 1).all()


def test_again_is_all_cached_and_equal(artifacts: Path, first: dict) -> None:
    metrics, states = run_experiment()
    assert metrics == first
    assert set(states.values()) == {"Cached"}


def test_other_target_samples_keep_what_does_not_depend_on_them(artifacts: Path, first: dict) -> None:
    _, states = run_experiment(experiment=QUICK.model_copy(update={"target_samples": 100}))
    kept = {name for name, state in states.items() if state == "Cached"}
    assert kept == {"download", "normalize", "train_A seed 42", "train_A seed 43"}


def test_more_replicates_train_only_the_new_ones(artifacts: Path, first: dict) -> None:
    metrics, states = run_experiment(replicates=3)
    assert metrics["replicates"][:2] == first["replicates"]
    trained = {name for name, state in states.items() if state == "Completed" and "seed" in name}
    assert trained == {"train_A seed 44", "train_B_scratch seed 44", "transfer_B_on_A seed 44"}


def test_training_that_stopped_early_says_so(artifacts: Path, first: dict) -> None:
    """Of three epochs each is a quarter, and the last half is two."""
    run_experiment()
    store = artifacts / "store"
    losses = {}
    for arm, stage in (("scratch", "train_B_scratch"), ("transfer", "transfer_B_on_A")):
        kept = [path for path in json.loads((artifacts / "latest/run.json").read_text())["artifacts"] if stage in path]
        epochs = [json.loads((store.parent / path / "history.json").read_text()) for path in kept]
        losses[arm] = np.array([[epoch["validation_loss"] for epoch in of_pair] for of_pair in epochs])
    found = first["convergence"]
    for arm, of_arm in losses.items():
        assert found["fall"][arm] == pytest.approx(100 * np.mean(1 - of_arm[:, 2] / of_arm[:, 1]))
    assert set(found["still_falling"]) == {arm for arm, fall in found["fall"].items() if fall > 1}
    sentence = f"{found['fall']['scratch']:.1f} % (scratch)"
    for file in ("report.md", "report.html", "models/B_on_A.md", "metrics.json"):
        assert sentence in (artifacts / "latest" / file).read_text()


def test_both_sides_tuned(artifacts: Path, first: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = Grid(rates=(0.001, 0.03), steps=16, fewest_epochs=2, folds=2, widenings=0)
    monkeypatch.setattr(train, "GRID", grid)
    experiment = QUICK.vary(tuning="cv", target_samples=40)
    metrics, states = run_experiment(experiment=experiment)
    assert states["train_A seed 42"] == "Cached"
    assert [(each["seed"], each["arm"]) for each in metrics["recipes"]] == [
        (42, "scratch"), (43, "scratch"), (42, "transfer"), (43, "transfer"),
    ]  # fmt: skip
    assert "convergence" not in metrics
    assert "Both sides were tuned" in metrics["answer"]
    report, card = ((artifacts / "latest" / file).read_text() for file in ("report.md", "models/B_scratch.md"))
    for recipe in metrics["recipes"]:
        assert recipe["learning_rate"] in recipe["rates"] == [0.001, 0.03]
        assert 1 <= recipe["epochs"] <= recipe["most_epochs"] == 8
        assert f"| {recipe['seed']} | {recipe['arm']} | {recipe['learning_rate']} | 0.001 … 0.03 |" in report
    own = metrics["recipes"][0]
    assert f"Learning rate {own['learning_rate']} and {own['epochs']} epochs, chosen by cross-validation" in card
    for path in json.loads((artifacts / "latest/run.json").read_text())["artifacts"]:
        if (recipe := artifacts / path / "recipe.json").exists():
            epochs = json.loads(recipe.with_name("history.json").read_text())
            assert len(epochs) == json.loads(recipe.read_text())["epochs"]
    assert set(run_experiment(experiment=experiment)[1].values()) == {"Cached"}


def test_damage_heals(artifacts: Path, first: dict) -> None:
    damaged = sorted((artifacts / "store/train_A").iterdir())[0] / "model.keras"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    gone = sorted((artifacts / "store/normalize").iterdir())[0] / "pixels.npz"
    gone.unlink()
    metrics, states = run_experiment(replicates=3)
    assert metrics["replicates"][:2] == first["replicates"]
    assert states["normalize"] == "Completed"
    assert sum(state == "Completed" for name, state in states.items() if name.startswith("train_A")) == 1


def test_refresh_computes_everything_anew_and_bit_for_bit_the_same(artifacts: Path, first: dict) -> None:
    """One after the other instead of side by side: order plays no part. Equal bits are equal places in the store."""
    shelves = set((artifacts / "store").glob("*/*"))
    metrics, states = run_experiment(ThreadPoolTaskRunner(max_workers=1), refresh=True)
    assert set(states.values()) == {"Completed"}
    assert metrics.pop("verdict")["name"] == "First"
    assert metrics == {name: value for name, value in first.items() if name != "verdict"}
    new = set((artifacts / "store").glob("*/*")) - shelves
    assert {shelf.parent.name for shelf in new} == {"report"}  # it tells the verdict

    # And a second night, which keeps as many runs as it was told to.
    metrics, _ = run_experiment(refresh=True, keep=1)
    assert metrics["verdict"]["name"] == "Reproduced"
    assert (artifacts / "latest/plots/nights.png").exists()
    assert "bit for bit" in (artifacts / "latest/report.md").read_text()
    assert len(list((artifacts / "runs").glob("*/"))) == 1
    metrics, states = run_experiment()
    assert metrics == first
    assert {name for name, state in states.items() if state != "Cached"} == {"report"}  # this one has no verdict


def test_models_work_outside(artifacts: Path, first: dict, tmp_path: Path) -> None:
    run_experiment()
    mirrors.fetch()
    data = fashion_mnist.data_set()
    labels = data.labels("test")
    kept = (labels == 0) | (labels == 2)
    np.savez(tmp_path / "test.npz", x=data.images("test")[kept], y=(labels[kept] == 2).astype(np.int32))
    script = (
        "import sys, keras, numpy as np; test = np.load('test.npz')\n"
        "for path in sys.argv[1:]: print(keras.models.load_model(path).evaluate(test['x'], test['y'], verbose=0)[1])"
    )
    models = [str(artifacts / f"latest/models/{name}.keras") for name in ("B_scratch", "B_on_A")]
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, *models], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    reported = [first["replicates"][0][arm]["accuracy"] for arm in ("scratch", "transfer")]
    assert [float(line) for line in done.stdout.split()] == pytest.approx(reported, abs=1e-7)


def test_command_line_all_cached_imports_neither_tensorflow_nor_matplotlib(artifacts: Path, first: dict) -> None:
    script = (
        "import sys; from flows.transfer_learning import transfer_learning\n"
        "from tasks.orchestration.terminal.command_line import run_from_command_line\n"
        "run_from_command_line(transfer_learning, 'flows.transfer_learning')\n"
        "print({'tensorflow', 'matplotlib', 'scipy', 'pandas'} & set(sys.modules))"
    )
    environment = os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()}
    done = subprocess.run(
        [sys.executable, "-c", script, "--replicates", "2", *flags(QUICK)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.count("Cached") == 5 + 3 * 2
    (place,) = re.findall("Report, plots and models are in (.+)", done.stderr)
    assert Path(place) == (artifacts / "latest").resolve()
    assert done.stdout.splitlines()[-1] == "set()"
    assert first["answer"] in done.stdout


def test_a_bad_flag_is_refused_in_a_sentence() -> None:
    """By the command itself; tests/faults/input/test_flags.py has what else is refused."""
    command = [sys.executable, "-m", "flows.transfer_learning", "--experiment.target-classes", '["Hat", 2]']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no class 'Hat'" in done.stderr
    assert "Traceback" not in done.stderr


def test_transient_faults_are_tried_again_and_lasting_ones_are_not(
    mirror: dict[str, tuple[int, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mirrors, "PACKAGE_FOLDER", tmp_path / "package")
    path = "/t10k-labels-idx1-ubyte.gz"
    good, attempts = mirror[path], []
    fetch = mirrors.fetch

    def counted(progress: object) -> list[Path]:
        attempts.append(mirror[path][0])
        try:
            return fetch()
        finally:
            if len(attempts) == 2 and mirror[path][0] == 500:
                mirror[path] = good

    monkeypatch.setattr(mirrors, "fetch", counted)

    @flow
    def only_download() -> None:
        download.with_options(retry_delay_seconds=0)(fashion_mnist.NAME, None)

    mirror[path] = (404, b"")
    with pytest.raises(mirrors.NoDataError):
        only_download()
    assert attempts == [404]
    attempts.clear()
    mirror[path] = (500, b"")
    only_download()
    assert attempts == [500, 500, 200]


@pytest.mark.slow
def test_a_run_may_stop_early_and_trains_each_seed_once(artifacts: Path) -> None:
    """It looks after 10 pairs and after 11. Also where everything is recomputed, what a look has seen is kept."""
    metrics, states = run_experiment(replicates=11, stop_early=True, refresh=True)
    pairs = len(metrics["replicates"])
    assert pairs == (11 if metrics["claim"] == "can't tell" else metrics["error_reduction"]["n"])
    assert sum(name.startswith("train_A") for name in states) == pairs
    assert set(states.values()) == {"Completed"}
    assert "repeated: 9" in metrics["error_reduction"]["method"]


def test_how_many_pairs_it_takes(artifacts: Path, first: dict, tmp_path: Path) -> None:
    def plan(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.plan", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    said = plan(artifacts / "latest", "--effect", "30", "--within", "10")
    assert "pairs would see an error reduction of 30 % in 9 of 10 studies" in said.stdout, said.stderr
    assert "pairs would know it to within ± 10 points" in said.stdout
    refused = plan(tmp_path)
    assert refused.returncode == 1
    assert "is not the folder of a finished run: give one" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
