"""Which trackers there are."""

from collections.abc import Callable
from pathlib import Path

from tasks.experiment.reports.trackers import mlflow_runs, tensorboard_events
from tasks.experiment.reports.trackers.tracked import TrackedRun

# Each takes a run and its folder, and says where the run is to be seen.
TRACKERS: dict[str, Callable[[TrackedRun, Path], str]] = {
    "mlflow": mlflow_runs.send,
    "tensorboard": tensorboard_events.write,
}
