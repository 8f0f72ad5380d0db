"""Prefect's cache records, made trustworthy: of known shapes, bound to their key, written by one at a time.

Left alone, Prefect believes any record that it can parse, unpickles one that asks for it, and lets two processes
compute the same. Here who holds a record's lock finds a true record there, or none.
"""

import asyncio
import hashlib
import json
from contextlib import suppress
from pathlib import PosixPath
from typing import Any, Self

from filelock import FileLock, Timeout
from prefect.locking.protocol import LockManager
from prefect.logging import get_run_logger
from prefect.serializers import JSONSerializer, Serializer
from prefect.transactions import get_transaction
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import Problems
from tasks.storage.artifacts import Artifact
from tasks.storage.locks import UNFINISHED, acquire, release, remove
from tasks.storage.roots import UnusableArtifactsError, artifacts_root, is_shared
from tasks.storage.sharing import fetch_file, remove_shared, share_file

SERIALIZER = "headstart"


class RecordFolder(PosixPath):
    """Where records are on the machine that asks.

    Prefect makes a text of a path where a flow starts and sends that to the workers, whose folder is another one; a
    task's path it asks where the task runs.
    """

    def __str__(self) -> str:
        return str(artifacts_root() / "cache")


class Record(BaseModel):
    """What a stage gave, and for which key: a record that was edited or put under another key is not believed."""

    model_config = ConfigDict(extra="forbid")
    key: str
    result: Artifact | DataSet | Problems
    sha256: str = ""

    @model_validator(mode="after")
    def _is_sealed(self) -> Self:
        content = f"{self.key} {self.model_dump_json(include={'result'})}"
        seal = hashlib.sha256(content.encode()).hexdigest()
        self.sha256 = self.sha256 or seal
        if self.sha256 != seal:
            raise ValueError("the record was changed")
        return self

    def is_intact(self) -> bool:
        """Whether what the result names is there and undamaged."""
        return self.result.is_intact()


class RecordSerializer(Serializer):  # type: ignore[type-arg]
    """Results as records. Whatever a file says, reading it makes handles and nothing else."""

    type: str = Field(default=SERIALIZER, frozen=True)

    def dumps(self, obj: Any) -> bytes:
        if isinstance(obj, BaseException):
            return JSONSerializer().dumps(obj)  # Prefect's note of a failure, under a key of its own: never believed
        written_by = get_transaction()
        assert written_by
        assert written_by.key
        return Record(key=written_by.key, result=obj).model_dump_json().encode()

    def loads(self, blob: bytes) -> Any:
        return Record.model_validate_json(blob).result


class RecordLocks(LockManager):
    """Locks on records, between threads and processes. A killed holder's lock is gone with it.

    Whoever gets a lock finds no untrue record: damaged, changed, or of an artifact that is gone or damaged. Where
    machines share artifacts they share records: fetched with the lock, and what was written is shared when it goes.
    (Two machines do not wait for each other: both make what both need at once, and it is the same.)
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, FileLock, bytes | None]] = {}  # by key: holder, lock, what the record said

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        try:
            lock = _acquire(key, 0)
            if not lock:
                get_run_logger().info("Something else is making this now: waiting for it")
                lock = _acquire(key, acquire_timeout)
        except OSError as error:
            raise UnusableArtifactsError(error) from error
        if not lock:
            return False
        try:
            if is_shared():
                fetch_file(_path(key))
            forget_untrue(key)
        except BaseException:
            release(lock)
            raise
        self._held[key] = holder, lock, _read(key)
        return True

    async def aacquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        return await asyncio.to_thread(self.acquire_lock, key, holder, acquire_timeout, hold_timeout)

    def release_lock(self, key: str, holder: str) -> None:
        if not self.is_lock_holder(key, holder):
            raise ValueError(f"{holder} does not hold {key}")
        _, lock, before = self._held.pop(key)
        try:
            if is_shared() and _read(key) not in (before, None):
                share_file(_path(key))
        finally:
            release(lock)

    def is_lock_holder(self, key: str, holder: str) -> bool:
        return key in self._held and self._held[key][0] == holder

    def is_locked(self, key: str) -> bool:
        return key in self._held or not self.wait_for_lock(key, 0)

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        if lock := _acquire(key, timeout):
            release(lock)
        return lock is not None

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        return await asyncio.to_thread(self.wait_for_lock, key, timeout)


def _acquire(key: str, timeout: float | None) -> FileLock | None:
    """The key's lock, or None if others held it for `timeout` seconds (None: wait for ever)."""
    with suppress(Timeout):
        return acquire(artifacts_root() / UNFINISHED / f"{key}.lock", -1 if timeout is None else timeout)
    return None


def forget_untrue(key: str) -> None:
    """Delete the key's record unless Prefect may believe it. Before Prefect reads it: a record names its own reader."""
    path = artifacts_root() / _path(key)
    if not path.exists():
        return
    try:
        written = json.loads(path.read_text())
        record = Record.model_validate_json(written["result"])
        true = written["metadata"]["serializer"] == {"type": SERIALIZER} and record.key == key and record.is_intact()
    except (OSError, ValueError, KeyError, TypeError):
        true = False
    if not true:
        get_run_logger().warning("What was stored as %s is gone or damaged: it is made again.", key)
        remove(path)
        if is_shared():
            remove_shared(_path(key))


def _read(key: str) -> bytes | None:
    with suppress(FileNotFoundError):
        return (artifacts_root() / _path(key)).read_bytes()
    return None


def _path(key: str) -> str:
    """Of the key's record, below the roots."""
    return f"cache/{key}"
