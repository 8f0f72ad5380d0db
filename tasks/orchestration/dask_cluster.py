"""A Dask cluster as a flow's task runner."""

import logging
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")  # below, each connection is told; read when imported

from distributed import Worker, WorkerPlugin
from prefect_dask import DaskTaskRunner

from tasks.experiment.errors import UnusableInputError
from tasks.orchestration.code_identity import code_identity
from tasks.storage.roots import shared_root

START_SECONDS = 30

logging.getLogger("distributed.nanny").setLevel(logging.ERROR)  # it warns of TensorFlow's taking seconds to end


class SideBySide(WorkerPlugin):  # type: ignore[misc]
    """XLA has two threads in each worker, and the same bits need both; as many workers as cores have twice the threads.

    In Linux' batch scheduling a thread that wakes up doesn't push another one off its core: a third less time.
    """

    def setup(self, worker: Worker) -> None:
        if sys.platform == "linux":
            for thread in Path("/proc/self/task").iterdir():  # those that they start inherit it
                with suppress(ProcessLookupError):
                    os.sched_setscheduler(int(thread.name), os.SCHED_BATCH, os.sched_param(0))


class ClusterTaskRunner(DaskTaskRunner):
    """Dask workers, each of which must have this project's code, and artifacts at the same place."""

    def prepare(self) -> None:
        """See to it that the workers compute what this machine would, and don't hinder each other.

        Raises UnusableInputError if there is no cluster, or no worker, or one that would compute something else.
        """
        what_to_give = "the address of a scheduler that has workers, such as tcp://127.0.0.1:8786, or dask, or threads"
        if self.address and not re.fullmatch(r"\w+://[^/\s]+:\d+", self.address):
            raise UnusableInputError(f"{self.address} is not where trainings can run: give {what_to_give}")
        try:
            self.client.wait_for_workers(1, timeout=START_SECONDS)
        except (OSError, ValueError) as error:
            raise UnusableInputError(
                f"no Dask worker could be had from {self.address or 'this machine'} ({error}): give {what_to_give}"
            ) from error
        ours = identity()
        for worker, theirs in self.client.run(identity, on_error="return").items():
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


def identity() -> dict[str, str]:
    """What machines that work together have in common: where artifacts are, the code, the libraries' versions."""
    training = code_identity("tasks.train") | code_identity("tasks.study.train_arms")
    return {"HEADSTART_ARTIFACTS": str(shared_root())} | training
