"""Which trackers are wanted, and that nobody else pays for them."""

import errno
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.experiment.errors import UnusableInputError
from tasks.orchestration import tracking
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
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_the_first_line_comes_before_what_takes_long_to_import() -> None:
    script = "import sys, flows; print({'prefect', 'tensorflow', 'pandas', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b"set()\n"


@pytest.mark.fault("no memory is left for a tracker's client", "a warning for each tracker, and no more")
def test_a_client_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    def refused(*command: object, **options: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setenv("HEADSTART_TRACKERS", "tensorboard,mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    monkeypatch.setattr(tracking.subprocess, "run", refused)
    monkeypatch.setattr(tracking, "get_run_logger", lambda: logging.getLogger("run"))
    tracking.track(tmp_path)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        f"Not sent to {name}: its client did not start (Cannot allocate memory)" for name in ("tensorboard", "mlflow")
    ]
