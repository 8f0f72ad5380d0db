"""A run that is told to end, by Ctrl-C or SIGTERM, ends soon: so do the trainings in its threads."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect.exceptions import TerminationSignal
from prefect.logging import get_run_logger

_told: ContextVar[threading.Event] = ContextVar("told", default=threading.Event())  # noqa: B039 (nobody sets it)


@contextmanager
def trainings_end_too() -> Iterator[None]:
    """The block of a flow that may be told to end: Prefect waits for its threads, which would train to their end."""
    told = threading.Event()
    before = _told.set(told)  # threads see it: a task that is submitted gets a copy of the context
    try:
        yield
    except (KeyboardInterrupt, TerminationSignal):
        told.set()
        get_run_logger().warning("Told to end: each training stops at its next epoch or step, and what is done is kept")
        raise
    finally:
        _told.reset(before)


def end_if_told() -> None:
    """For what a training calls again and again: raises TerminationSignal, after which Prefect tries nothing again."""
    if _told.get().is_set():
        raise TerminationSignal(signal.SIGTERM)
