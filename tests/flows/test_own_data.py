"""The flow and the study on data and models that people bring: scikit-learn's digits, a plain Keras model."""

import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from PIL import Image
from prefect.settings import PREFECT_API_URL

from flows import predict as predict_command
from flows.study import transfer_study
from flows.transfer_learning import transfer_learning
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.settings import Experiment
from tasks.storage.roots import ROOT
from tests.support.runs import run
from tests.walkthrough import digits

pytestmark = pytest.mark.usefixtures("prefect_server", "artifacts")
EXPERIMENT = Experiment(
    dataset="digits", target_classes=("three", "eight", "nine"), target_samples=60, learning_rate=0.02, hidden_layers=2,
    hidden_units=20, source_epochs=3, target_epochs=4, frozen_epochs=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with digits.npz (no test images), digits/ and digits.keras."""
    folder = tmp_path_factory.mktemp("brought")
    digits.write_npz(folder / "digits.npz", test=0)
    digits.write_folder(folder / "digits")
    digits.write_model(folder / "digits.keras", epochs=2)
    return folder


@pytest.fixture(autouse=True)
def _there(brought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(brought)


@pytest.fixture(scope="module")
def first(artifacts: Path, brought: Path) -> Iterator[tuple[Path, dict]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(brought)
        yield run(transfer_learning, experiment=EXPERIMENT)[:2]


def trained(states: list[tuple[str, str]]) -> list[str]:
    return sorted(name for name, state in states if state == "Completed" and "seed" in name)


def test_three_classes_of_a_folder_from_pixels_to_report(first: tuple[Path, dict]) -> None:
    folder, metrics = first
    report = (folder / "report.md").read_text()
    assert "to tell three, eight and nine apart?" in report
    assert "The data had no test images: 359 of 1,797, a fifth of each class, were set aside." in report
    assert "| eight | 125 | 14 | 35 |" in report
    assert (folder / "plots/data.png").stat().st_size > 5_000
    for pair in metrics["replicates"]:
        for arm in ("scratch", "transfer"):
            confusion = pair[arm]["confusion"]
            assert [sum(row) for row in confusion] == [37, 35, 36]
            assert pair[arm]["accuracy"] == pytest.approx(sum(confusion[i][i] for i in range(3)) / 108)


def test_the_card_says_what_a_hub_and_a_user_need(first: tuple[Path, dict]) -> None:
    folder, metrics = first
    text = (folder / "models/B_on_A.md").read_text()
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["library_name"] == "keras"
    assert head["classes"] == ["three", "eight", "nine"]
    (result,) = head["model-index"][0]["results"]
    scores = metrics["replicates"][0]["transfer"]
    kinds = ("accuracy", "balanced_accuracy", "roc_auc")
    assert result["metrics"] == [{"type": kind, "value": scores[kind]} for kind in kinds]
    for part in ("shape (images, 8, 8)", "three, eight, nine, in this order", "95 % interval", "Limits", "tensorflow"):
        assert part in text
    source = yaml.safe_load((folder / "models/A.md").read_text().split("---\n")[1])
    assert source["classes"] == ["five", "four", "one", "seven", "six", "two", "zero"]


Predict = Callable[..., tuple[int, str, str]]


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Predict:
    """Exit status, output and errors of `python -m flows.predict`; README's walk-through starts it as a command."""

    def main(*arguments: Path | str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["predict", *map(str, arguments)])
        status = 0
        try:
            predict_command.main()
        except SystemExit as end:
            status = int(str(end.code))
        return status, *capsys.readouterr()

    return main


def test_predict_tells_class_and_probability_of_image_files(
    first: tuple[Path, dict], brought: Path, tmp_path: Path, predict: Predict
) -> None:
    model, (file, *_) = first[0] / "models/B_on_A.keras", sorted((brought / "digits/nine").iterdir())
    with Image.open(file) as picture:
        picture.convert("RGB").resize((30, 20)).save(tmp_path / "other.jpg")
    status, said, _ = predict(model, file, tmp_path / "other.jpg")
    assert status == 0
    one, other = said.splitlines()
    name, probability = one.removeprefix(f"{file}: ").split()
    assert name in EXPERIMENT.target_classes
    assert 1 / 3 < float(probability) <= 1
    assert other.endswith("(made grey) (resized from 30 × 20 to 8 × 8 pixels)")
    (tmp_path / "bad.png").write_bytes(b"damaged")
    status, said, refused = predict(model, tmp_path, file)  # a folder, one of its files bad
    assert status == 2
    assert [line.split(": ")[0] for line in said.splitlines()] == [str(tmp_path / "other.jpg"), str(file)]
    assert "bad.png is not a whole image" in refused
    (tmp_path / "empty").mkdir()
    assert predict(model, tmp_path / "empty") == (2, "", f"{tmp_path / 'empty'} holds no images\n")


@pytest.mark.parametrize(
    ("model", "image", "says"),
    [
        ("gone.keras", "artifacts/example/labels.png", "gone.keras is not a file that Keras saved"),
        ("README.md", "artifacts/example/labels.png", "README.md is not a file that Keras saved"),
        (None, "README.md", "README.md is not a whole image of a kind"),
        (None, "gone.png", "gone.png does not exist"),
    ],
)
def test_predict_refuses_in_a_sentence(
    first: tuple[Path, dict], model: str | None, image: str, says: str, predict: Predict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(ROOT)
    status, said, refusal = predict(model or first[0] / "models/B_on_A.keras", image)
    assert (status, said) == (2, "")
    assert says in refusal


def test_again_all_is_cached_but_changed_data_are_read_anew(
    artifacts: Path, first: tuple[Path, dict], brought: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("prefect.flow_runs")
    log.addHandler(caplog.handler)
    try:
        _, metrics, states = run(transfer_learning, experiment=EXPERIMENT)
    finally:
        log.removeHandler(caplog.handler)
    assert metrics == first[1]
    assert {state for _, state in states} == {"Cached"}
    assert f"digits: {metrics['data']['notes'][0]}" in caplog.messages  # a run from the cache warns too
    file = next((brought / "digits/three").iterdir())
    original = file.read_bytes()
    with Image.open(file) as picture:
        picture.transpose(Image.Transpose.ROTATE_180).save(file)
    try:
        _, changed, states = run(transfer_learning, experiment=EXPERIMENT)
    finally:
        file.write_bytes(original)
    assert ("download", "Completed") in states
    assert changed["replicates"] != first[1]["replicates"]
    assert run(transfer_learning, experiment=EXPERIMENT)[1] == first[1]


@pytest.mark.own_data
def test_the_study_of_three_classes_on_a_convolutional_network(artifacts: Path) -> None:
    experiment = EXPERIMENT.vary(
        dataset="digits.npz", target_classes=(3, 8, 9), network="cnn", learning_rate=0.005, target_samples=50
    )
    folder, metrics, _ = run(transfer_study, experiment=experiment, tuned=False)
    table = pd.read_csv(folder / "runs.csv")
    assert set(table.classes) == {"3 8 9"}
    assert {"first 3, frozen", "self-transfer", "probe"} <= set(table.arm)
    assert metrics["study"]["labels"]["curve"][-1]["samples"] == metrics["data"]["images"]["B"]["training"]
    assert "to tell 3, 8 and 9 apart, and why?" in (folder / "report.md").read_text()
    assert metrics["study"]["help"]["error_reduction"] == metrics["error_reduction"]


@pytest.mark.own_data
def test_a_study_goes_on_without_the_pixels_on_which_a_diverges(artifacts: Path) -> None:
    experiment = EXPERIMENT.vary(dataset="digits.npz", target_classes=(3, 8), hidden_layers=3, hidden_units=100)
    folder, metrics, _ = run(transfer_study, experiment=experiment, tuned=False)
    assert "pixels" not in metrics["study"]
    assert "task A diverged at this learning rate" in (folder / "report.md").read_text()


@pytest.mark.own_data
def test_a_trained_model_takes_the_place_of_A(artifacts: Path, brought: Path) -> None:
    digest = hashlib.sha256((brought / "digits.keras").read_bytes()).hexdigest()
    own = EXPERIMENT.vary(
        dataset="digits.npz", target_classes=(8, 9), source_model="digits.keras", source_layer="features"
    )
    folder, metrics, states = run(transfer_learning, experiment=own)
    assert ("import_A", "Completed") in states
    trained_A = {
        result for result in (folder / "run.json").read_text().split('"') if result.startswith("store/train_A")
    }
    assert not trained_A  # the brought model is A
    assert metrics["data"]["source_classes"] is None
    assert "were transferred, unchanged" in (folder / "models/A.md").read_text()
    study, answers, states = run(transfer_study, experiment=own, resample_target=False, tuned=False)
    assert ("import_A", "Cached") in states
    assert "pixels" not in answers["study"]
    for ours, theirs in zip(answers["replicates"], metrics["replicates"], strict=True):
        assert ours["transfer"]["accuracy"] == theirs["transfer"]["accuracy"]
    assert set(pd.read_csv(study / "runs.csv").layers) == {0, 1}
    assert hashlib.sha256((brought / "digits.keras").read_bytes()).hexdigest() == digest


@pytest.mark.own_data
def test_a_changed_model_is_never_served_from_the_cache(artifacts: Path, brought: Path) -> None:
    own = EXPERIMENT.vary(dataset="digits.npz", target_classes=(8, 9), source_model="changing.keras")
    (brought / "changing.keras").write_bytes((brought / "digits.keras").read_bytes())
    run(transfer_learning, experiment=own, replicates=1)
    digits.write_model(brought / "changing.keras", epochs=1)
    _, _, states = run(transfer_learning, experiment=own, replicates=1)
    assert ("import_A", "Completed") in states


@pytest.mark.own_data
def test_another_data_set_can_be_the_source(artifacts: Path) -> None:
    own = EXPERIMENT.vary(dataset="digits.npz", target_classes=(8, 9), source_dataset="digits")
    _, metrics, states = run(transfer_learning, experiment=own, replicates=1)
    assert len(metrics["data"]["source_classes"]) == 10
    assert sum(name == "download" for name, _ in states) == sum(name == "normalize" for name, _ in states) == 2
    assert trained(states)[0] == "train_A seed 42"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"dataset": "gone"}, "dataset gone does not exist"),
    ({"target_classes": ("three", "ten")}, "no class 'ten': give a number 0–9 or one of eight, five"),
    ({"target_classes": ("three", "THREE")}, "target_classes names 'three' twice"),
    ({"target_samples": 5000}, "target_samples is 5000, but task B has 386 training images: give 386 at most"),
    ({"target_classes": tuple(range(9))}, "task A needs at least two"),
    ({"source_model": "gone.keras"}, "gone.keras is not a file that Keras saved"),
    ({"source_model": "digits.keras", "source_layer": "hiden"}, "has no layer 'hiden'"),
]


@pytest.mark.parametrize(("changes", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_cant_be_used_is_refused_before_any_training(artifacts: Path, changes: dict, says: str) -> None:
    before = set((artifacts / "store").glob("train*/*"))
    with pytest.raises(UnusableInputError) as refused:
        run(transfer_learning, experiment=EXPERIMENT.vary(**changes))
    assert says in str(refused.value)
    assert set((artifacts / "store").glob("train*/*")) == before


def test_the_terminal_shows_the_sentence_and_no_traceback(brought: Path) -> None:
    (brought / "bad").mkdir()
    command = [sys.executable, "-m", "flows.transfer_learning", "--experiment.dataset", str(brought / "bad")]
    environment = os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "holds no class folders: give a folder" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_nothing_below_split_names_the_data_set() -> None:
    files = [*(ROOT / "tasks").rglob("*.py"), *(ROOT / "tasks").rglob("*.j2")]
    naming = {file.name for file in files if "fashion" in file.read_text().lower()}
    assert naming == {"fashion_mnist.py", "mirrors.py", "download.py", "settings.py"}


@pytest.mark.own_data
def test_the_walk_through_runs_as_written(tmp_path: Path) -> None:
    section = (ROOT / "docs" / "your-data.md").read_text()
    commands = [line.strip() for line in section.splitlines() if line.startswith("    .venv/bin/python ")]
    assert len(commands) >= 6
    for name in ("flows", "tasks", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(Path(sys.executable))
    environment = {name: value for name, value in os.environ.items() if name != "HEADSTART_ARTIFACTS"}
    environment |= {"PREFECT_API_URL": PREFECT_API_URL.value(), "PYTHONPATH": os.pathsep.join(sys.path)}
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr[-2000:]}"
    answer = (tmp_path / "artifacts/latest/report.md").read_text().splitlines()[2]
    assert answer.startswith("> ")
