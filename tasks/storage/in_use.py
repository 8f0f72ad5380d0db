"""Nothing is pruned that a run uses: runs and pruning exclude each other, on this machine and between machines.

On a machine by a lock, which ends with its process, however it ends. Where machines share artifacts by marks, which
don't: an old one no longer counts. Each side leaves its mark before it looks for the other's.
"""

import fcntl
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.storage.files import write_text
from tasks.storage.roots import UnusableArtifactsError, artifacts_root, is_shared, shared_root
from tasks.storage.sharing import remove_shared

LONGEST = {"run": 24 * 3600, "pruning": 3600}  # seconds; an older mark belongs to a dead process


class InUseError(RuntimeError):
    """A run is using the artifacts."""


@contextmanager
def artifacts_in_use() -> Iterator[None]:
    """While a run is in this block, nothing is pruned. Waits for a pruning that has already begun."""
    with _lock(fcntl.LOCK_SH), _mark("run"):
        while marks := _marks("pruning"):
            logging.getLogger(__name__).warning("Waiting for a pruning; if it died, remove %s", marks[0])
            time.sleep(1)
        yield


@contextmanager
def artifacts_unused() -> Iterator[None]:
    """While this block prunes, no run begins. Raises InUseError if a run already has."""
    busy = InUseError("a run is using the artifacts: nothing was removed, try again when it has ended")
    try:
        with _lock(fcntl.LOCK_EX | fcntl.LOCK_NB), _mark("pruning"):
            if _marks("run"):
                raise busy
            yield
    except BlockingIOError:
        raise busy from None


@contextmanager
def _lock(operation: int) -> Iterator[None]:
    try:
        artifacts_root().mkdir(parents=True, exist_ok=True)
        file = (artifacts_root() / ".in-use").open("wb")
    except OSError as error:
        raise UnusableArtifactsError(error) from error
    with file:
        fcntl.flock(file, operation)
        yield


@contextmanager
def _mark(kind: str) -> Iterator[None]:
    if not is_shared():
        yield
        return
    name = f".in-use/{kind}-{uuid.uuid4().hex}"
    try:
        write_text(shared_root() / name, "")
    except Exception as error:  # each store has its own
        raise UnusableArtifactsError(error) from error
    try:
        yield
    finally:
        remove_shared(name)


def _marks(kind: str) -> list[str]:
    """Where machines share artifacts, the marks of this kind that count, by the store's own clock."""
    if not is_shared():
        return []
    marks = {str(mark): mark.stat().st_mtime for mark in (shared_root() / ".in-use").glob("*")}
    now = max(marks.values(), default=0.0)  # at least as late as this process's own mark
    return [mark for mark, made in marks.items() if f"/{kind}-" in mark and now - made < LONGEST[kind]]
