"""The flow on your own data: from files to report, cached, read again when they change, refused in a sentence."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from prefect.settings import PREFECT_API_URL

from flows.transfer_learning import transfer_learning
from tasks.experiment.errors import UnusableInputError
from tasks.storage.roots import ROOT
from tests.support.runs import DIGITS, run

pytestmark = pytest.mark.usefixtures("prefect_server", "artifacts")


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
    scores, kinds = metrics["replicates"][0]["transfer"], ("accuracy", "balanced_accuracy", "roc_auc")
    assert result["metrics"] == [{"type": kind, "value": pytest.approx(scores[kind], abs=5e-5)} for kind in kinds]
    for part in ("shape (images, 8, 8)", "three, eight, nine, in this order", "95 % interval", "Limits", "tensorflow"):
        assert part in text
    source = yaml.safe_load((folder / "models/A.md").read_text().split("---\n")[1])
    assert source["classes"] == ["five", "four", "one", "seven", "six", "two", "zero"]


def test_again_all_is_cached_but_changed_data_are_read_anew(
    artifacts: Path, first: tuple[Path, dict], brought: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("prefect.flow_runs")
    log.addHandler(caplog.handler)
    try:
        _, metrics, states = run(transfer_learning, experiment=DIGITS)
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
        _, changed, states = run(transfer_learning, experiment=DIGITS)
    finally:
        file.write_bytes(original)
    assert ("download", "Completed") in states
    assert changed["replicates"] != first[1]["replicates"]
    assert run(transfer_learning, experiment=DIGITS)[1] == first[1]


@pytest.mark.own_data
def test_another_data_set_can_be_the_source(artifacts: Path) -> None:
    own = DIGITS.vary(dataset="digits.npz", target_classes=(8, 9), source_dataset="digits")
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
        run(transfer_learning, experiment=DIGITS.vary(**changes))
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
