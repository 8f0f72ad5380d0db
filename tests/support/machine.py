"""A machine of its own for the tests of operations: a copy of the project, folders, a port, processes."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from pydantic import BaseModel

from flows import automations
from tasks.storage.roots import ROOT, data_root
from tests.support.processes import PATIENCE, Process, free_port, until
from tests.support.services import ask, is_healthy, put_database

PASSWORD = "me", "secret"  # as in docs/machines.md
# On a slow machine 90 s may pass before a run's first heartbeat. That 90 s are promised is test_kills.py's.
SILENCE = timedelta(seconds=900)
PATIENT = "flows/automations.py", "timedelta(seconds=90)", f"timedelta(seconds={SILENCE.seconds})"
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass
class Machine:
    """Processes started here end with it; `folder` holds all that they write."""

    folder: Path
    environment: dict[str, str]
    api: str
    server: Process | None = None
    started: list[Process] = field(default_factory=list)
    needed: list[Process] = field(default_factory=list)  # of these, so that there are runs: until they are stopped

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def ui(self) -> str:
        return self.api.removesuffix("/api") + "/v2"

    def start(self, *command: str) -> Process:
        """`python -m command …` in the project's folder."""
        return self._start([sys.executable, "-m", *command], "-".join(command[:2]))

    def shell(self, line: str) -> Process:
        """A command line in the project's folder."""
        words = re.sub(r"\W+", "-", line.removeprefix(".venv/bin/"))
        return self._start(["bash", "-c", f"exec {line}"], f"{words[:60]}-{uuid.uuid4().hex[:8]}")

    def _start(self, command: list[str], name: str) -> Process:
        log = self.folder / f"{name}.log"
        self.started.append(Process(command, log, folder=self.project, environment=self.environment))
        return self.started[-1]

    def serve(self) -> Process:
        """What `make serve` starts, once it is up."""
        put_database(Path(self.environment["PREFECT_HOME"]))
        process = self.start("flows.serve")
        until(lambda: f"UI: {self.api[:-4]}\n" in process.said(), "make serve is up", process)
        self.needed.append(process)
        return process

    def start_server(self) -> None:
        put_database(Path(self.environment["PREFECT_HOME"]))
        self.server = self.start("flows.server")
        until(self.answers, "the server answers", self.server)
        self.needed.append(self.server)

    @contextmanager
    def worker(self, *options: str) -> Iterator[Process]:
        worker = self.start("prefect", "worker", "start", "--pool", "headstart", *options)
        self.needed.append(worker)
        try:
            yield worker
        finally:
            self.stop(worker)

    def stop(self, process: Process) -> None:
        process.stop()
        self.started.remove(process)
        self.needed = [other for other in self.needed if other is not process]

    def answers(self) -> bool:
        return is_healthy(self.api)

    def command(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """`python -m command …`, to its end."""
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=self.project, env=self.environment | environment, input=stdin,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def succeed(self, *command: str, stdin: str = "") -> str:
        """`python -m command …`, which must end well: what it said."""
        done = self.command(*command, stdin=stdin)
        assert done.returncode == 0, f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, deployment: str, name: str = "", **parameters: Any) -> subprocess.CompletedProcess[str]:
        """`prefect deployment run` as README gives it, waiting for the run's end. name: given to the run."""
        values = _as_json(parameters)
        given = [f for name, value in values.items() for f in ("-p", f"{name}={json.dumps(value)}")]
        named = ("--flow-run-name", name) if name else ()
        return self.command("prefect", "deployment", "run", _full_name(deployment), *named, *given, "--watch")

    def submit(self, deployment: str, **parameters: Any) -> str:
        """The id of a new run, which a worker will start."""
        body = {"parameters": _as_json(parameters), "state": {"type": "SCHEDULED"}}
        return self.post(f"deployments/{self.deployment(deployment)['id']}/create_flow_run", body)["id"]

    def deployment(self, name: str) -> dict[str, Any]:
        return self.get(f"deployments/name/{_full_name(name)}")

    def get(self, path: str) -> Any:
        return self.ask("GET", path).raise_for_status().json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.ask("POST", path, body).raise_for_status().json()

    def ask(self, method: str, path: str, body: Any = None, password: Any = PASSWORD) -> httpx.Response:
        return ask(method, f"{self.api}/{path}", body, password)

    def seconds_to_first_task(self) -> float:
        """From the creation of the newest run to the start of its first task."""
        run = self.flow_runs(state={"type": {"any_": ["COMPLETED"]}})[0]
        tasks = self.post("task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        first = min(datetime.fromisoformat(task["start_time"]) for task in tasks)
        return (first - datetime.fromisoformat(run["created"])).total_seconds()

    def flow_run(self, run_id: str) -> dict[str, Any]:
        return self.get(f"flow_runs/{run_id}")

    def flow_runs(self, **flow_runs: Any) -> list[dict[str, Any]]:
        """Newest first."""
        body = {"flow_runs": flow_runs, "sort": "EXPECTED_START_TIME_DESC"}
        return self.post("flow_runs/filter", body)

    def nights(self) -> list[dict[str, Any]]:
        """Runs of the nightly deployment that have begun, newest first."""
        return self.flow_runs(
            deployment_id={"any_": [self.deployment("nightly")["id"]]}, start_time={"is_null_": False}
        )

    def runs_asked_for(self) -> set[str]:
        """Ids of the flow runs that somebody wanted; those of the coming nights appear by themselves."""
        return {run["id"] for run in self.flow_runs() if not run["auto_scheduled"]}

    def task_states(self, run_id: str) -> dict[str, str]:
        found = self.post("task_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
        return {task["name"]: task["state_name"] for task in found}

    def wait_for_state(self, run_id: str, *names: str, patience: float = PATIENCE) -> dict[str, Any]:
        """The run, once its state has one of these names. Fails when it has ended in another one."""

        def there() -> dict[str, Any] | None:
            run = self.flow_run(run_id)
            if run["state_name"] in names:
                return run
            assert run["state_type"] not in ENDED, f"{_state(run)}, not {' or '.join(names)}"
            return None

        what = f"{run_id} is {' or '.join(names)}"
        return until(there, what, *self.needed, patience=patience, saw=lambda: _state(self.flow_run(run_id)))  # type: ignore[return-value]

    def wait_for_training(self, run_id: str, seed: int = 42) -> int:
        """Until only A is still being trained: the process id of the run."""
        self.wait_for_task(run_id, f"train_B_scratch seed {seed}", "Completed", "Cached")
        assert self.task_states(run_id)[f"train_A seed {seed}"] == "Running"
        return int(self.flow_run(run_id)["infrastructure_pid"])

    def wait_for_task(self, run_id: str, task: str, *names: str) -> None:
        """Until the task run's state has one of these names. Fails when the run has ended before."""

        def there() -> bool:
            if self.task_states(run_id).get(task) in names:
                return True
            run = self.flow_run(run_id)
            assert run["state_type"] not in ENDED, f"waiting for {task}: {_state(run)}"
            return False

        until(there, f"{task} is {' or '.join(names)}", *self.needed, saw=lambda: self.task_states(run_id))

    def is_waited_for(self, run_id: str) -> bool:
        """Whether the automation on missing heartbeats waits for this run's next one."""
        database = Path(self.environment["PREFECT_HOME"]) / "prefect.db"
        with closing(sqlite3.connect(f"file:{database}?mode=ro", timeout=PATIENCE, uri=True)) as connection:
            query = "SELECT count(*) FROM automation_bucket WHERE bucketing_key LIKE ?"
            return bool(connection.execute(query, [f"%{run_id}%"]).fetchone()[0])

    def set_webhook(self, address: str) -> None:
        """What `python -m flows.automations --webhook` does, in this process. Empty: none."""
        ours = {PREFECT_API_URL: self.api, PREFECT_API_AUTH_STRING: ":".join(PASSWORD)}
        with temporary_settings(ours), pytest.MonkeyPatch.context() as patch:
            patch.setattr(automations, "SILENCE", SILENCE)
            automations.set_webhook(address)
            automations.create_automations()

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.project / file
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))


def _as_json(parameters: dict[str, Any]) -> dict[str, Any]:
    """Of settings only what differs from the default, as a user gives them."""
    return {
        name: value.model_dump(mode="json", exclude_defaults=True) if isinstance(value, BaseModel) else value
        for name, value in parameters.items()
    }


def _state(run: dict[str, Any]) -> str:
    return f"{run['name']} is {run['state_name']}: {run['state']['message']}"


def _full_name(deployment: str) -> str:
    """Of a deployment of the main flow, unless it names another one."""
    return deployment if "/" in deployment else f"transfer-learning/{deployment}"


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A machine with nothing running yet."""
    port = free_port()
    for name in ("flows", "tasks"):
        shutil.copytree(ROOT / name, folder / "project" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("prefect.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / "project")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT", "HEADSTART"))}
    own |= {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_AUTH_STRING": ":".join(PASSWORD),
        "PREFECT_SERVER_API_AUTH_STRING": ":".join(PASSWORD),
        "PREFECT_SERVER_API_PORT": str(port),
        "HEADSTART_ARTIFACTS": str(folder / "artifacts"),
        "HEADSTART_DATA": str(data_root()),
    }
    here = Machine(folder, own, own["PREFECT_API_URL"])
    here.edit(*PATIENT)
    try:
        yield here
    finally:
        for process in reversed(here.started.copy()):
            here.stop(process)
