"""A finished run in MLflow: one run with its settings, answer, scores and files, and one below it per pair."""

import os
import time
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from tasks.experiment.reports.trackers.tracked import TrackedPair, TrackedRun

EXPERIMENT = "headstart"  # unless MLFLOW_EXPERIMENT_NAME says otherwise
MOST = 1000  # metrics in one request, by MLflow's API


def send(run: TrackedRun, folder: Path) -> str:
    """Where the run is to be seen. folder: the run's, whose files go along. MLFLOW_TRACKING_URI says where to.

    Raises MlflowException if MLflow can't be reached or refuses.
    """
    import mlflow

    experiment = mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT)
    with mlflow.start_run(run_name=run.name, tags=run.notes, description=run.answer) as parent:
        mlflow.log_params(run.settings)
        mlflow.log_metrics(run.scores)
        for pair in run.pairs:
            with mlflow.start_run(run_name=f"seed {pair.seed}", nested=True) as child:
                mlflow.log_params({"seed": pair.seed})
                _log_pair(child.info.run_id, pair)
        mlflow.log_artifacts(str(folder))
    path = f"#/experiments/{experiment.experiment_id}/runs/{parent.info.run_id}"
    address = urlsplit(mlflow.get_tracking_uri())
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path.rstrip('/')}/{path}"


def _log_pair(run_id: str, pair: TrackedPair) -> None:
    """The scores, and each figure of each network by epoch."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    figures = [Metric(name, value, now, 0) for name, value in pair.scores.items()]
    figures += [
        Metric(f"{epoch.network}/{name}", value, now, epoch.number)
        for epoch in pair.epochs
        for name, value in epoch.figures.items()
    ]
    client = MlflowClient()
    for _, some in groupby(enumerate(figures), key=lambda numbered: numbered[0] // MOST):
        client.log_batch(run_id, metrics=[figure for _, figure in some])
