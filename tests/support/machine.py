"""A machine of its own for the tests of operations: a copy of the project, folders, a port, processes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tasks.storage.roots import ROOT, data_root

QUICK = {"source_epochs": 1, "target_epochs": 3, "frozen_epochs": 1}
LONG = QUICK | {"source_epochs": 1000}  # minutes
Value = TypeVar("Value")
PATIENCE = 60.0  # seconds for an answer from a server on a busy machine
PASSWORD = "me", "secret"  # as in docs/machines.md


def until(condition: Callable[[], Value], seconds: float, what: str) -> Value:
    """The first true value of `condition`; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.2)
    return value


@dataclass
class Machine:
    """Processes started here end with it; `folder` holds all that they write."""

    folder: Path
    environment: dict[str, str]
    api: str
    server: subprocess.Popen[bytes] | None = None
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def ui(self) -> str:
        return self.api.removesuffix("/api") + "/v2"

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """`python -m command …` in the project's folder; what it prints goes to a log."""
        with (self.folder / f"{'-'.join(command[:2])}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=self.project, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.started.append(process)
        return process

    def serve(self) -> subprocess.Popen[bytes]:
        """What `make serve` starts, once it is up."""
        process = self.start("flows.serve")
        log = self.folder / "flows.serve.log"
        until(lambda: f"UI: {self.api[:-4]}\n" in log.read_text(), 120, "make serve is up")
        return process

    def start_server(self) -> None:
        self.server = self.start("flows.server")
        until(self.answers, 60, "the server answers")

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        worker = self.start("prefect", "worker", "start", "--pool", "headstart")
        try:
            yield worker
        finally:
            self.stop(worker)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.started.remove(process)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health").is_success
        except httpx.HTTPError:
            return False

    def command(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`python -m command …`, to its end."""
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=self.project, env=self.environment, input=stdin, capture_output=True,
            text=True, check=False,
        )  # fmt: skip

    def deploy(self) -> None:
        pool = "prefect", "work-pool", "create", "headstart", "--type", "process"
        assert self.command(*pool, "--base-job-template", "flows/work_pool.json").returncode == 0
        assert self.command("prefect", "--no-prompt", "deploy", "--all").returncode == 0

    def run(self, deployment: str, **parameters: Any) -> subprocess.CompletedProcess[str]:
        """`prefect deployment run` as README gives it, waiting for the run's end."""
        given = [f for name, value in parameters.items() for f in ("-p", f"{name}={json.dumps(value)}")]
        return self.command("prefect", "deployment", "run", _full_name(deployment), *given, "--watch")

    def submit(self, deployment: str, **parameters: Any) -> str:
        """The id of a new run, which a worker will start."""
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return self.post(f"deployments/{self.deployment(deployment)['id']}/create_flow_run", body)["id"]

    def deployment(self, name: str) -> dict[str, Any]:
        return self.get(f"deployments/name/{_full_name(name)}")

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.api}/{path}", auth=PASSWORD, timeout=PATIENCE).raise_for_status().json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return httpx.post(f"{self.api}/{path}", json=body, auth=PASSWORD, timeout=PATIENCE).raise_for_status().json()

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

    def task_states(self, run_id: str) -> dict[str, str]:
        found = self.post("task_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
        return {task["name"]: task["state_name"] for task in found}

    def wait_for_state(self, run_id: str, *names: str, seconds: float) -> dict[str, Any]:
        return until(
            lambda: (run := self.flow_run(run_id))["state_name"] in names and run, seconds, f"{run_id} is {names}"
        )  # type: ignore[return-value]

    def wait_for_training(self, run_id: str) -> int:
        """Until only A is still being trained: the process id of the run."""
        done = "Completed", "Cached"
        until(lambda: self.task_states(run_id).get("train_B_scratch seed 42") in done, 60, "B is trained, A is not")
        assert self.task_states(run_id)["train_A seed 42"] == "Running"
        return int(self.flow_run(run_id)["infrastructure_pid"])

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.project / file
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))


def _full_name(deployment: str) -> str:
    """Of a deployment of the main flow, unless it names another one."""
    return deployment if "/" in deployment else f"transfer-learning/{deployment}"


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A machine with nothing running yet."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
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
    # A shell starts what is in its background without SIGINT; what is started here shall know it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    here = Machine(folder, own, own["PREFECT_API_URL"])
    try:
        yield here
    finally:
        signal.signal(signal.SIGINT, before)
        for process in reversed(here.started.copy()):
            here.stop(process)
