"""Small real runs of the flow: in this process, or in one that may die."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL

from flows.transfer_learning import transfer_learning
from tasks.storage.roots import ROOT
from tests.support import flow_runs
from tests.support.flow_runs import QUICK


def run(**parameters: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """(metrics, state name by task run name) of one run in this process, below HEADSTART_ARTIFACTS."""
    _, metrics, states = flow_runs.run(transfer_learning, **parameters)
    return metrics, dict(states)


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait for a condition, and give what it gave."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value


@dataclass
class Life:
    """A run in a process of its own."""

    pid: int
    out: Path
    lives: "Lives"

    def end(self) -> int:
        """Wait for its end; its exit status, or minus the signal that killed it."""
        return self.lives.ask({"wait": self.pid})

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
        return json.loads((Path(self.result["folder"]) / "metrics.json").read_text())

    @property
    def computed(self) -> list[str]:
        """Names of the task runs that were computed, not taken from the cache."""
        return re.findall(r"Task run '(.+)' - Finished in state Completed", self.log)


class Lives:
    """The process of tests/support/mortal.py."""

    def __init__(self) -> None:
        # A process with threads must not be forked: neither NumPy's nor Arrow's allocator may start one.
        alone = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.mortal"], cwd=ROOT, env=os.environ | alone,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
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
        return Life(self.ask(order | fate), Path(order["out"]), self)

    def close(self) -> None:
        self._process.communicate()
