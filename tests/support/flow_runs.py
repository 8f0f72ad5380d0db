"""Running a flow in a test, and seeing which of its tasks ran and which were cached."""

import json
import logging
import re
from typing import Any

from prefect import Flow
from prefect.task_runners import ThreadPoolTaskRunner
from upath import UPath

from tasks.experiment.settings import Experiment

QUICK = Experiment(source_epochs=1, target_epochs=3, frozen_epochs=1)


class FinalStates(logging.Handler):
    """Final state names by task run name, as the log tells them; the server's own record lags behind."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.match(r"Finished in state (\w+)", record.getMessage()):
            self.names.append((record.task_run_name, found[1]))


def run(
    flow: Flow[..., Any], runner: ThreadPoolTaskRunner | None = None, **parameters: Any
) -> tuple[UPath, dict[str, Any], list[tuple[str, str]]]:
    """(run folder, metrics, (task run name, final state name) of each task run). HEADSTART_ARTIFACTS must be set."""
    prepared = flow.with_options(task_runner=runner)
    states = FinalStates()
    logging.getLogger("prefect.task_runs").addHandler(states)
    try:
        folder = UPath(prepared(**({"experiment": QUICK, "replicates": 2} | parameters)))
    finally:
        logging.getLogger("prefect.task_runs").removeHandler(states)
    return folder, json.loads((folder / "metrics.json").read_text()), states.names
