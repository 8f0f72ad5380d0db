"""Runs in other people's trackers: a real MLflow server on loopback, and TensorBoard's event files read back."""

import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pandas as pd
import pytest

from tests.support.machine import Machine, machine
from tests.support.processes import PATIENCE, Process, free_port, until
from tests.support.runs import QUICK, answers_of, flags
from tests.walkthrough import digits

pytestmark = [
    pytest.mark.operations,
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in ("mlflow", "tensorboard")),
        reason="needs the trackers' clients: make trackers",
    ),
]
SMALL = QUICK.vary(dataset="digits.npz", target_classes=(3, 8), target_samples=50)
RUN = ["flows.transfer_learning", "--replicates", "2", *flags(SMALL)]


class MLflow:
    """`mlflow server` on loopback."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        self.process = Process(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
             "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", folder / "mlartifacts"],
            folder / "mlflow.log", folder=folder,
            environment=os.environ | quiet,
        )  # fmt: skip
        until(self.answers, "MLflow answers", self.process)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/health", timeout=PATIENCE).is_success
        except httpx.HTTPError:
            return False

    def get(self, path: str, /, **parameters: str) -> dict:
        return (
            httpx.get(f"{self.address}/api/2.0/{path}", params=parameters, timeout=PATIENCE).raise_for_status().json()
        )

    def runs(self) -> list[dict]:
        found = self.get("mlflow/experiments/get-by-name", experiment_name="headstart")["experiment"]
        asked = {"experiment_ids": [found["experiment_id"]]}
        return httpx.post(f"{self.address}/api/2.0/mlflow/runs/search", json=asked, timeout=PATIENCE).json()["runs"]


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflow]:
    server = MLflow(tmp_path_factory.mktemp("mlflow"))
    yield server
    server.process.kill()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which one run, told to no tracker, has filled the cache."""
    with machine(tmp_path_factory.mktemp("tracked")) as here:
        digits.write_npz(here.project / "digits.npz")
        here.start_server()
        done = here.command(*RUN)
        assert done.returncode == 0
        yield here


def latest(here: Machine) -> Path:
    return (here.folder / "artifacts" / "latest").resolve()


def named(pairs: list[dict]) -> dict:
    return {pair["key"]: pair["value"] for pair in pairs}


def test_mlflow_and_tensorboard(here: Machine, mlflow: MLflow) -> None:
    """Both from a run that the cache had whole, whose results they do not change."""
    untold = answers_of(latest(here))
    patience = {"MLFLOW_HTTP_REQUEST_TIMEOUT": f"{PATIENCE:.0f}", "MLFLOW_TRACKING_URI": mlflow.address}
    done = here.command(*RUN, HEADSTART_TRACKERS="mlflow, tensorboard", **patience)
    assert done.returncode == 0
    folder = latest(here)
    metrics, epochs = (
        answers_of(folder),
        pd.read_csv(folder / "epochs.csv").set_index(["network", "seed", "epoch"]).sort_index(),
    )
    assert metrics == untold

    of_run = {run["info"]["run_name"]: run for run in mlflow.runs()}
    assert set(of_run) == {folder.name, "seed 42", "seed 43"}
    assert {run["info"]["status"] for run in of_run.values()} == {"FINISHED"}
    parent = of_run[folder.name]
    assert (
        f"{mlflow.address}/#/experiments/{parent['info']['experiment_id']}/runs/{parent['info']['run_id']}"
        in done.stderr
    )
    assert named(parent["data"]["params"])["target_classes"] == '["3", "8"]'
    assert named(parent["data"]["params"])["source_epochs"] == "1"
    assert named(parent["data"]["tags"])["mlflow.note.content"] == metrics["answer"]
    assert named(parent["data"]["metrics"])["error_reduction/estimate"] == metrics["error_reduction"]["estimate"]
    for pair in metrics["replicates"]:
        child = of_run[f"seed {pair['seed']}"]
        assert named(child["data"]["tags"])["mlflow.parentRunId"] == parent["info"]["run_id"]
        assert named(child["data"]["metrics"])["transfer/accuracy"] == pair["transfer"]["accuracy"]
        key = {"run_id": child["info"]["run_id"], "metric_key": "B_on_A/validation_loss"}
        history = mlflow.get("mlflow/metrics/get-history", **key)["metrics"]
        assert [(point["step"], point["value"]) for point in history] == list(
            epochs.loc["B_on_A", pair["seed"]].validation_loss.items()
        )
    run_id = parent["info"]["run_id"]
    listed = {
        file["path"]
        for path in ("", "models")
        for file in mlflow.get("mlflow/artifacts/list", run_id=run_id, path=path)["files"]
    }
    assert {"report.html", "metrics.json", "models/A.keras", "models/B_on_A.keras", "models/B_scratch.keras"} <= listed

    events = read_events(folder / "tensorboard")
    assert {log.name for log in events if log != folder / "tensorboard"} == {
        f"{network} seed {seed}" for network in ("A", "B_scratch", "B_on_A") for seed in (42, 43)
    }
    for (network, seed), rows in epochs.groupby(level=["network", "seed"]):
        for name in epochs.columns:
            seen = events[folder / "tensorboard" / f"{network} seed {seed}"][name]
            assert [step for step, _ in seen] == list(rows.index.get_level_values("epoch"))
            assert [value for _, value in seen] == pytest.approx(list(rows[name]))  # of 32 bits


def read_events(folder: Path) -> dict[Path, dict[str, list[tuple[int, float]]]]:
    """(step, value) by log and tag, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.util.tensor_util import make_ndarray

    logs = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
    return {
        folder / log: {
            tag: [(event.step, float(make_ndarray(event.tensor_proto))) for event in logs.Tensors(log, tag)]
            for tag in logs.PluginRunToTagToContent("scalars").get(log, {})
        }
        for log in logs.Runs()
    }


@contextmanager
def unusable(what: str, mlflow: MLflow, folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which MLflow's server or client is so."""
    if what == "a server that hangs":
        os.killpg(mlflow.process.pid, signal.SIGSTOP)  # it answers in a process of its own
        yield {"MLFLOW_TRACKING_URI": mlflow.address}
        os.killpg(mlflow.process.pid, signal.SIGCONT)
    elif what == "a server that is not there":
        yield {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}"}
    else:
        (folder / "mlflow.py").write_text("raise ModuleNotFoundError(\"No module named 'mlflow'\")")
        yield {"MLFLOW_TRACKING_URI": mlflow.address, "PYTHONPATH": str(folder)}


@pytest.mark.fault("MLflow: {what}", "one warning; the run completes")
@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("a server that hangs", "timed out"),
        ("a server that is not there", "refused"),
        ("a client that is not installed", "make trackers"),
    ],
)
def test_a_tracker_that_is_away(here: Machine, mlflow: MLflow, tmp_path: Path, what: str, says: str) -> None:
    before = latest(here)
    patience = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "2", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    with unusable(what, mlflow, tmp_path) as environment:
        done = here.command(*RUN, HEADSTART_TRACKERS="mlflow", **patience, **environment)
    assert done.returncode == 0
    (warning,) = [line for line in done.stderr.splitlines() if "Not sent to mlflow: " in line]
    assert "WARNING" in warning
    assert says in warning
    assert "Traceback" not in done.stderr
    assert latest(here) != before
    assert done.stdout.startswith("Transfer")
