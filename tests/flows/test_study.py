"""The study on small real images with few epochs: its numbers, its cache, its resumption."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prefect.exceptions import ParameterTypeError
from prefect.logging import disable_run_logger
from prefect.settings import PREFECT_API_URL

from flows.study import transfer_study
from flows.transfer_learning import transfer_learning
from tasks.experiment.data import fashion_mnist, mirrors
from tasks.experiment.data.pixels import load_pixels
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.architectures import build_network
from tasks.experiment.networks.model_files import save_model
from tasks.experiment.networks.trainer import set_threads
from tasks.experiment.settings import Experiment
from tasks.experiment.study import arms
from tasks.experiment.study.arms import full_plan, pair_plan
from tasks.normalize import normalize
from tasks.split import split
from tasks.storage.artifacts import save
from tasks.storage.roots import ROOT
from tasks.study.train_arms import train_arms
from tests.support import signals
from tests.support.processes import Process
from tests.support.runs import QUICK, run
from tests.walkthrough import digits

pytestmark = pytest.mark.usefixtures("prefect_server")
BUDGETS = (50, 200, None)  # fewer than a user gets: each is two more networks a seed
KEPT = 5
# The study's command, which kills itself before it writes the next record of trained arms.
KILLED = f"""
import os, runpy, signal, sys
from tasks.experiment.study import arms
from tests.support.mortal import step

def die(event, args, records=set()):
    line = step(event, args)
    if line.startswith("open w ") and "/cache/train_arms-" in line:
        records.add(line)
        if len(records) > {KEPT}:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
arms.BUDGETS = {BUDGETS}
runpy.run_module("flows.study", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module", autouse=True)
def _few_budgets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arms, "BUDGETS", BUDGETS)
        yield


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    data = digits.write_npz(tmp_path_factory.mktemp("data") / "digits.npz")
    return QUICK.vary(dataset=str(data), target_classes=(3, 8))


@pytest.fixture(scope="module")
def study(artifacts: Path, experiment: Experiment) -> tuple[Path, dict]:
    """(run folder, metrics) of a study of two pairs."""
    return run(transfer_study, experiment=experiment, tuned=False)[:2]


def trained(states: list[tuple[str, str]]) -> list[str]:
    return sorted(name for name, state in states if name.startswith(("train_", "transfer_")) and state == "Completed")


def test_the_run_folder_holds_what_any_run_does_and_the_table_in_two_formats(
    study: tuple[Path, dict], experiment: Experiment
) -> None:
    folder, metrics = study
    names = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}
    assert names == {
        "metrics.json", "report.html", "report.md", "run.json", "runs.csv", "runs.parquet",
        "models/A.keras", "models/B_scratch.keras", "models/B_on_A.keras",
        "models/A.md", "models/B_scratch.md", "models/B_on_A.md",
        *(f"plots/{plot}.{kind}" for plot in ("pairs", "arms", "labels", "pixels") for kind in ("png", "svg")),
        "plots/data.png", "plots/data@2x.png",
    }  # fmt: skip
    table = pd.read_csv(folder / "runs.csv")
    pd.testing.assert_frame_equal(table, pd.read_parquet(folder / "runs.parquet"))
    plans = full_plan(experiment, resample=True), pair_plan(experiment, resample=True)
    images = metrics["data"]["images"]["B"]["training"]
    trained = [trial for plan in plans for trial in plan.trials if (trial.samples or 0) <= images]
    assert len(table) == 2 * len(trained)
    assert metrics["answer"] in (folder / "report.md").read_text()


def test_its_numbers_follow_from_the_table(study: tuple[Path, dict]) -> None:
    folder, metrics = study
    table = pd.read_csv(folder / "runs.csv").query("samples == 200 and normalization == 'standardize'")
    errors = 1 - table.groupby("arm").accuracy.mean()
    for arm in metrics["study"]["arms"]["against_scratch"]:
        by_hand = 100 * (1 - errors[arm["arm"]] / errors["scratch"])
        assert arm["error_reduction"]["estimate"] == pytest.approx(by_hand)
    assert metrics["error_reduction"]["estimate"] == pytest.approx(100 * (1 - errors["transfer"] / errors["scratch"]))


def test_what_computes_is_not_imported_before_it_is_needed() -> None:
    script = "import sys, flows.study; print({'tensorflow', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_tuning_is_the_studys_own() -> None:
    with pytest.raises(ParameterTypeError, match=r"leave experiment\.tuning out"):
        run(transfer_study, experiment=QUICK.vary(tuning="cv"))


def test_without_resampling_it_is_the_experiment_bit_for_bit(artifacts: Path, experiment: Experiment) -> None:
    _, study, _ = run(transfer_study, experiment=experiment, replicates=1, resample_target=False, tuned=False)
    _, alone, states = run(transfer_learning, experiment=experiment, replicates=1)
    assert trained(states) == ["train_B_scratch seed 42", "transfer_B_on_A seed 42"]
    for ours, theirs in zip(study["replicates"], alone["replicates"], strict=True):
        for arm in ("scratch", "transfer"):
            assert ours[arm] == {name: value for name, value in theirs[arm].items() if name != "confusion"}


def test_more_replicates_train_only_the_new_ones(study: tuple[Path, dict], experiment: Experiment) -> None:
    _, metrics, states = run(transfer_study, experiment=experiment, replicates=3, tuned=False)
    assert metrics["replicates"][:2] == study[1]["replicates"]
    assert trained(states) == ["train_A seed 44"] * 2 + ["train_arms seed 44"] * 2  # two kinds of pixels


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"experiment": QUICK.vary(target_classes=(0, 2, 4))}, "pairs of classes: give two target_classes with it"),
        ({"replicates": 1}, "each pair of classes over seeds: give replicates 2 or more with it"),
    ],
)
def test_pairs_that_cannot_be_compared_are_refused_before_any_work(
    given: dict, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    with pytest.raises(UnusableInputError, match=f"^pairs compares {said}$"):
        run(transfer_study, pairs=True, **given)
    assert not (tmp_path / "artifacts").exists()


def test_a_network_that_diverges_counts_with_what_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, bytes]
) -> None:
    set_threads()  # before anything computes
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    wild = QUICK.vary(learning_rate=10, normalization="none")
    mirrors.fetch()
    data = fashion_mnist.data_set()
    pixels = normalize.fn(data, "none")
    _, B = split.fn(data, data, pixels, pixels, wild.target)
    untrained = build_network(wild.source_training, 8, load_pixels(pixels.folder()), seed=42)
    body = save("train_A", lambda folder: save_model(untrained, folder / "model.keras"))
    plan = full_plan(wild, resample=True)
    first = plan.model_copy(update={"trials": plan.trials[:6]})
    with disable_run_logger():  # there is no run
        runs = train_arms.fn(B, first, 42, body).folder()
    rows = pd.DataFrame(json.loads((runs / "runs.json").read_text())).set_index("arm")
    assert rows.diverged["scratch"]
    assert rows.diverged["self-transfer"]  # its body did
    assert set(rows.accuracy[rows.diverged]) == {0.5}  # half of the test images are of the negative class
    assert set(rows.roc_auc[rows.diverged]) == {0.5}  # it ranks nothing
    assert rows.loss[rows.diverged].isna().all()
    assert [f.name for f in runs.glob("scratch*")] == []


@pytest.mark.slow
@pytest.mark.fault("kill -9 in the midst of a study of all class pairs", "run again, it goes on where it was")
def test_all_class_pairs_killed_half_way_go_on_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a few small images of four classes: it is the number of networks that counts."""
    made = np.load(signals.write_npz(tmp_path / "made.npz", images=900))
    kept = {name: made[f"y_{name[2:]}"] >= 2 for name in made}
    np.savez(tmp_path / "few.npz", **{name: made[name][kept[name]] for name in made})
    experiment = QUICK.vary(dataset=str(tmp_path / "few.npz"), target_classes=(4, 5), target_samples=24)
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "undisturbed"))
    _, undisturbed, _ = run(transfer_study, experiment=experiment, tuned=False)

    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    flags = ["--experiment", experiment.model_dump_json(exclude_defaults=True), "--replicates", "2", "--tuned", "false"]
    killed = Process(
        [sys.executable, "-c", KILLED, *flags, "--pairs"], tmp_path / "killed.log",
        environment=os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()},
    )  # fmt: skip
    assert killed.wait() == -9, "the study was not killed: it never came to that step, or ended by itself before"
    done = len(list((tmp_path / "artifacts/cache").glob("train_arms-*")))
    assert done >= KEPT
    folder, metrics, states = run(transfer_study, experiment=experiment, pairs=True, tuned=False)
    # Two seeds of each pair of classes, as there are no three; and of the experiment itself, on two kinds of pixels.
    assert len([name for name in trained(states) if name.startswith("train_arms")]) <= 2 * (6 + 2) - done
    assert len(metrics["study"]["classes"]) == 6
    assert (folder / "plots/classes.png").stat().st_size > 10_000
    assert {k: metrics[k] for k in ("replicates", "error_reduction")} == {
        k: undisturbed[k] for k in ("replicates", "error_reduction")
    }
