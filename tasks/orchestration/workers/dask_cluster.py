"""A Dask cluster as a flow's task runner."""

import logging
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

# Read when distributed is imported.
os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")  # "info" reports every connection
os.environ["DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES"] = "[]"  # its pages would answer everyone
os.environ["DASK_DISTRIBUTED__WORKER__HTTP__ROUTES"] = "[]"

from distributed import Worker, WorkerPlugin
from prefect_dask import DaskTaskRunner

from tasks.experiment.errors import UnusableInputError
from tasks.orchestration.cache.code_identity import code_identity
from tasks.storage.roots import shared_root

START_SECONDS = 600  # a deadline for our own workers, however busy the machine
JOIN_SECONDS = 30  # for the first worker of somebody's scheduler, which should be there already

logging.getLogger("distributed.nanny").setLevel(logging.ERROR)  # it warns whenever TensorFlow takes seconds to end
logging.getLogger("prefect.task_runner.cluster").addFilter(lambda said: "dashboard" not in said.msg)  # there is none


class SideBySide(WorkerPlugin):
    """Linux' batch scheduling for a worker: a thread that wakes up doesn't push another one off its core.

    The same bits need both of XLA's threads (DECISIONS.md), so that as many workers as cores have twice as many threads
    as there are cores. This takes a third off the time.
    """

    def setup(self, worker: Worker) -> None:
        if sys.platform == "linux":
            for thread in Path("/proc/self/task").iterdir():  # threads that they start inherit it
                with suppress(ProcessLookupError):
                    os.sched_setscheduler(int(thread.name), os.SCHED_BATCH, os.sched_param(0))


class ClusterTaskRunner(DaskTaskRunner):
    """Dask workers, each of which must have this project's code, and artifacts at the same place."""

    def prepare(self, modules: list[str]) -> None:
        """Make sure that the workers compute what this machine would, and don't hinder each other.

        modules: those whose stages may run there. Raises UnusableInputError if there is no cluster, or no worker, or
        one that would compute something else.
        """
        what_to_give = "the address of a scheduler that has workers, such as tcp://127.0.0.1:8786, or dask, or threads"
        if self.address and not re.fullmatch(r"\w+://[^/\s]+:\d+", self.address):
            raise UnusableInputError(f"{self.address} is not where models can be trained: give {what_to_give}")
        try:
            self.client.wait_for_workers(1, timeout=JOIN_SECONDS if self.address else START_SECONDS)
        except (OSError, ValueError) as error:
            raise UnusableInputError(
                f"no Dask worker could be had from {self.address or 'this machine'} ({error}): give {what_to_give}"
            ) from error
        ours = identity(modules)
        for worker, theirs in self.client.run(identity, modules, on_error="return").items():
            if isinstance(theirs, Exception):
                raise UnusableInputError(
                    f"the Dask worker {worker} can't run this project ({theirs}): start it in the project's folder, "
                    "by .venv/bin/python -m dask worker"
                )
            if different := sorted(name for name in ours | theirs if ours.get(name) != theirs.get(name)):
                name = different[0]
                raise UnusableInputError(
                    f"the Dask worker {worker} is not like this machine: its {name} is {theirs.get(name)}, here it is "
                    f"{ours.get(name)} (of {len(different)} differences the first)"
                )
        self.client.register_plugin(SideBySide())


def identity(modules: list[str]) -> dict[str, str]:
    """What machines that work together have in common: where artifacts are, the code, the libraries' versions."""
    common = {"HEADSTART_ARTIFACTS": str(shared_root())}
    for module in modules:
        common |= code_identity(module).modules | code_identity(module).libraries
    return common
