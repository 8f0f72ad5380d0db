"""A run's last step, if HEADSTART_TRACKERS asks for it: other people's trackers are told of it."""

import os
import subprocess
import sys
from pathlib import Path

from prefect import get_run_logger

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.reports.trackers.sending import TRACKERS
from tasks.storage.files import printable
from tasks.storage.roots import ROOT

MOST_SECONDS = 600.0  # for one tracker, however many files it is sent
SHOWN = 400  # characters of what a client says
# MLflow's own are two minutes and seven times: a run would wait for a quarter of an hour for a tracker that is away.
IMPATIENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def wanted_trackers() -> list[str]:
    """HEADSTART_TRACKERS, as a list. Raises UnusableInputError for what can't be used."""
    given = [name.strip().lower() for name in os.environ.get("HEADSTART_TRACKERS", "").split(",")]
    names = list(dict.fromkeys(filter(None, given)))
    if strange := next((name for name in names if name not in TRACKERS), None):
        raise UnusableInputError(
            f"HEADSTART_TRACKERS names {printable(strange)}: there are {' and '.join(TRACKERS)}, with a comma between"
        )
    if "mlflow" in names and not os.environ.get("MLFLOW_TRACKING_URI"):
        raise UnusableInputError(
            "HEADSTART_TRACKERS names mlflow: set MLFLOW_TRACKING_URI to its address, such as http://127.0.0.1:5000"
        )
    return names


def track(folder: Path) -> None:
    """Tell the wanted trackers of the run in this folder. One that is away, or hangs, costs a warning."""
    log = get_run_logger()
    for name in wanted_trackers():
        log.info("Sending this run to %s …", name)
        command = [sys.executable, "-m", "tasks.experiment.reports.trackers", name, str(folder)]
        try:
            ended = subprocess.run(
                command, cwd=ROOT, env=IMPATIENT | os.environ, stdin=subprocess.DEVNULL, capture_output=True,
                encoding="utf-8", errors="replace", timeout=MOST_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            log.warning("Not sent to %s: no end after %.0f seconds", name, MOST_SECONDS)
            continue
        except OSError as error:  # no memory or no process left for it
            log.warning("Not sent to %s: its client did not start (%s)", name, error.strerror)
            continue
        said = (ended.stderr if ended.returncode else ended.stdout).split("\n")
        last = next((line for line in reversed(said) if line.strip()), f"it ended with status {ended.returncode}")
        if ended.returncode:
            log.warning("Not sent to %s: %s", name, printable(last[:SHOWN]))
        else:
            log.info("Sent to %s: %s", name, printable(last))
