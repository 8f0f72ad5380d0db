"""Runs of someone who does not know of `make serve`, on the same machine: they bring their own servers."""

import re
import sys

from tests.support.machine import Machine
from tests.support.processes import Process, free_port, until
from tests.support.runs import QUICK, flags

RUN = ["flows.transfer_learning", "--replicates", "1", *flags(QUICK)]


def elsewhere(here: Machine, **environment: str) -> dict[str, str]:
    """The environment of someone who does not know of the server, and on whose machine CI is not mentioned."""
    unknown = {"PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING", "CI", "GITHUB_ACTIONS"}
    known = {name: value for name, value in here.environment.items() if name not in unknown}
    return known | {"PREFECT_SERVER_API_PORT": str(free_port())} | environment


def start(here: Machine, seed: str, environment: dict[str, str], name: str = "") -> Process:
    log = here.folder / f"{seed}{name}.log"
    process = Process([sys.executable, "-m", *RUN, "--seed", seed], log, folder=here.project, environment=environment)
    here.started.append(process)
    return process


def new_run(here: Machine, seed: str, process: Process) -> dict:
    """The run of this seed, as `make serve` sees it, once it has begun."""

    def there() -> dict | None:
        return next((run for run in here.flow_runs() if run["parameters"].get("seed") == int(seed)), None)

    run = until(there, f"the run of seed {seed} is seen", process)
    assert run
    return run


def assert_nothing_after_the_answer(said: str) -> None:
    first_words = [re.split("[: ]", line)[0] for line in said.splitlines()]
    assert first_words[-4:] == ["Transfer", "Report", "Plots", "Models"], said[-3000:]
    assert "Traceback" not in said
    assert "View at" not in said
