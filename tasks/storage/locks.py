"""Locks between processes, and temporary folders, that end with their process, however it ends."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

# Everything unfinished below a root is here: on its file system, so that it can be renamed into place.
UNFINISHED = ".new"


def acquire(path: Path, timeout: float = -1) -> FileLock:
    """Hold `path` (made if need be), against threads of this process too. The kernel lets it go if the process dies.

    Waits for `timeout` seconds, by default for ever. Raises filelock.Timeout.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    lock.acquire(timeout=timeout)
    return lock


def release(lock: FileLock) -> None:
    """Let go and leave no file: a process that waits sees (filelock checks) that it is gone, and makes a new one."""
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` for the time of the block."""
    lock = acquire(path)
    try:
        yield
    finally:
        release(lock)


@contextmanager
def temporary_folder(root: Path) -> Iterator[Path]:
    """An empty folder below `root` for the time of the block. First removes what killed processes left there."""
    unfinished = root / UNFINISHED
    for left in unfinished.glob("*.lock"):
        with suppress(Timeout):
            lock = acquire(left, timeout=0)  # possible only if its process is dead
            remove(left.with_suffix(""))
            release(lock)
    folder = unfinished / uuid.uuid4().hex
    with locked(folder.with_suffix(".lock")):
        folder.mkdir()
        try:
            yield folder
        finally:
            remove(folder)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there, whatever its permissions."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    path.chmod(0o700)
    for folder, folders, _ in os.walk(path):
        for name in folders:
            (Path(folder) / name).chmod(0o700)
    shutil.rmtree(path)
