"""Small real runs of the flows: in this process, or in one that may die."""

import json
import logging
import os
import re
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.settings import PREFECT_API_URL
from prefect.task_runners import TaskRunner
from upath import UPath

from flows.transfer_learning import transfer_learning
from tasks.experiment.settings import Experiment
from tasks.storage.roots import ROOT
from tests.support.processes import PATIENCE, show_if_red

QUICK = Experiment(source_epochs=1, target_epochs=3, frozen_epochs=1)
DIGITS = Experiment(
    dataset="digits", target_classes=("three", "eight", "nine"), target_samples=60, learning_rate=0.02, hidden_layers=2,
    hidden_units=20, source_epochs=3, target_epochs=4, frozen_epochs=1,
)  # fmt: skip
LONG = QUICK.vary(source_epochs=1000)  # minutes, for a run that is ended


def flags(experiment: Experiment) -> list[str]:
    """The same settings for the command line."""
    given = experiment.model_dump(mode="json", exclude_defaults=True)
    words = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    return [f"--experiment.{name.replace('_', '-')}={word}" for name, word in words.items()]


def command_line(artifacts: Path, environment: dict[str, str], *shell: str) -> subprocess.CompletedProcess[bytes]:
    """`python -m flows.transfer_learning`, the small run, on the tests' server; `shell`: how it is started."""
    run = [sys.executable, "-m", "flows.transfer_learning", "--replicates", "2", *flags(QUICK)]
    own = {"HEADSTART_ARTIFACTS": str(artifacts), "PREFECT_API_URL": str(PREFECT_API_URL.value())}
    return subprocess.run([*shell, *run], cwd=ROOT, env=environment | own, capture_output=True, check=False)


class FinalStates(logging.Handler):
    """Final state names by task run name, as the log tells them; the server's own record lags behind."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.match(r"Finished in state (\w+)", record.getMessage()):
            self.names.append((record.task_run_name, found[1]))


def run(
    flow: Flow[..., Any], runner: TaskRunner[Any] | None = None, **parameters: Any
) -> tuple[UPath, dict[str, Any], list[tuple[str, str]]]:
    """(run folder, metrics, (task run name, final state name) of each task run). HEADSTART_ARTIFACTS must be set."""
    prepared = flow.with_options(task_runner=runner)
    states = FinalStates()
    logging.getLogger("prefect.task_runs").addHandler(states)
    try:
        usual = {"experiment": QUICK, "replicates": 2} if "experiment" in flow.parameters.properties else {}
        folder = UPath(prepared(**(usual | parameters)))
    finally:
        logging.getLogger("prefect.task_runs").removeHandler(states)
    return folder, answers_of(folder), states.names


def answers_of(folder: Path | UPath) -> dict[str, Any]:
    """A run's metrics but for `run`, which says which run it is, and so is never the same."""
    metrics = json.loads((folder / "metrics.json").read_text())
    return {name: value for name, value in metrics.items() if name != "run"}


def run_experiment(runner: TaskRunner[Any] | None = None, **parameters: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """(metrics, final state name by task run name) of a run of the experiment's flow."""
    _, metrics, states = run(transfer_learning, runner, **parameters)
    return metrics, dict(states)


@dataclass
class Life:
    """A run in a process of its own."""

    pid: int
    out: Path
    lives: "Lives"

    def end(self) -> int:
        """Wait for its end; its exit status, or minus the signal that killed it."""
        process = os.pidfd_open(self.pid)
        try:
            assert select.select([process], [], [], PATIENCE)[0], f"{self.out.name} did not end within {PATIENCE:.0f} s"
        finally:
            os.close(process)
        return self.lives.ask({"wait": self.pid})

    @property
    def state(self) -> str:
        """The kernel's letter: T is stopped, Z has ended."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]

    @property
    def has_ended(self) -> bool:
        return self.state == "Z"

    @property
    def log(self) -> str:
        """What it has said so far."""
        path = self.out.with_suffix(".log")
        return path.read_text() if path.exists() else ""

    @property
    def result(self) -> dict[str, Any]:
        """Prefect's final state, its message, and the run's folder."""
        return json.loads(self.out.with_suffix(".json").read_text())

    @property
    def metrics(self) -> dict[str, Any]:
        result = self.result
        assert "folder" in result, f"{self.out.name} is {result['state']}: {result['message']}"
        return answers_of(Path(result["folder"]))

    @property
    def computed(self) -> list[str]:
        """Names of the task runs that were computed, not taken from the cache."""
        return re.findall(r"Task run '(.+)' - Finished in state Completed", self.log)


class Lives:
    """The process of tests/support/mortal.py."""

    def __init__(self, folder: Path) -> None:
        # A process with threads must not be forked: neither NumPy's nor Arrow's allocator may start one.
        alone = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
        with (folder / "mortal.log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.mortal"], cwd=ROOT, env=os.environ | alone,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        show_if_red(Path(log.name))
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"
        self._count = 0

    def ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def start(
        self, out: Path, environment: dict[str, Path], parameters: dict[str, Any] | None = None, **fate: Any
    ) -> Life:
        """Start a run whose log goes beside `out`; for its `fate` see tests/support/mortal.py."""
        self._count += 1
        given = {"experiment": QUICK.model_dump(mode="json"), "replicates": 2} | (parameters or {})
        order = {
            "out": str(out / f"life-{self._count}"),
            "environment": {name: str(path) for name, path in environment.items()},
            "parameters": given,
            "api": PREFECT_API_URL.value(),
        }
        show_if_red(Path(f"{order['out']}.log"))
        return Life(self.ask(order | fate), Path(order["out"]), self)

    def close(self) -> None:
        self._process.communicate()
