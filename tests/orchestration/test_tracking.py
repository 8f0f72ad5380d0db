"""Which trackers are wanted, and that nobody else pays for them."""

import subprocess
import sys

import pytest

from tasks.experiment.errors import UnusableInputError
from tasks.orchestration.tracking import wanted_trackers
from tasks.storage.roots import ROOT


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("", []), ("tensorboard", ["tensorboard"]), (" MLflow ,tensorboard,,mlflow", ["mlflow", "tensorboard"])],
)
def test_wanted(monkeypatch: pytest.MonkeyPatch, given: str, wanted: list[str]) -> None:
    monkeypatch.setenv("HEADSTART_TRACKERS", given)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert wanted_trackers() == wanted


@pytest.mark.fault("HEADSTART_TRACKERS={given!r} without MLFLOW_TRACKING_URI", "one sentence, before any work")
@pytest.mark.parametrize(
    ("given", "says"), [("wandb", "mlflow and tensorboard"), ("mlflow", "set MLFLOW_TRACKING_URI")]
)
def test_refused(monkeypatch: pytest.MonkeyPatch, given: str, says: str) -> None:
    monkeypatch.setenv("HEADSTART_TRACKERS", given)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(UnusableInputError, match=says):
        wanted_trackers()


def test_no_client_is_imported_by_a_run() -> None:
    script = "import sys, flows.transfer_learning; print({'mlflow', 'tensorboard'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True).stdout == b"set()\n"


def test_the_first_line_comes_before_what_takes_long_to_import() -> None:
    script = "import sys, flows; print({'prefect', 'tensorflow', 'pandas', 'pydantic'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True).stdout == b"set()\n"
