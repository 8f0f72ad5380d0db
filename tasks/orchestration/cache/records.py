"""Prefect's cache records, made trustworthy: of declared types, bound to their key, written by one process at a time.

Left alone, Prefect believes any record that it can parse, unpickles one that asks for it, and lets two processes
compute the same. Here, whoever holds a record's lock finds either a true record or none.
"""

import asyncio
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PosixPath
from typing import Any, Generic, Self, TypeVar

from filelock import FileLock, Timeout
from prefect.locking.protocol import LockManager
from prefect.logging import get_run_logger
from prefect.serializers import JSONSerializer, Serializer
from prefect.transactions import get_transaction
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import to_json

from tasks.storage.artifacts import Handle
from tasks.storage.files import read_json
from tasks.storage.locks import UNFINISHED, acquire, release, remove
from tasks.storage.roots import UnusableArtifactsError, artifacts_root, is_shared
from tasks.storage.sharing import fetch_file, remove_shared, share_file

SERIALIZER = "headstart"
Result = TypeVar("Result")  # a handle, or a tuple of handles


class Record(BaseModel, Generic[Result]):
    """What a stage returned, and for which key: one that was edited or put under another key is not believed."""

    model_config = ConfigDict(extra="forbid")
    key: str
    result: Result
    sha256: str = ""

    @model_validator(mode="after")
    def _is_sealed(self) -> Self:
        seal = hashlib.sha256(f"{self.key} {to_json(self.result).decode()}".encode()).hexdigest()
        self.sha256 = self.sha256 or seal
        if self.sha256 != seal:
            raise ValueError("the record was changed")
        return self


_declared: dict[str, TypeAdapter[Record[Any]]] = {}  # by stage: its records


def declare_result(stage: str, result: Any) -> None:
    """Say what the stage of that name returns. Reading its records makes this type and nothing else."""
    _declared[stage] = TypeAdapter(Record[result])


def parse_record(content: str | bytes) -> Record[Any]:
    """Raises ValueError, KeyError or TypeError for anything that a declared stage can't have returned."""
    stage, _, _ = str(json.loads(content)["key"]).rpartition("-")
    return _declared[stage].validate_json(content)


class RecordFolder(PosixPath):
    """The folder of records, on each machine its own.

    Where a flow starts, Prefect turns a path into text and sends that to the workers, whose folder is a different one.
    A task's path is read where the task runs.
    """

    def __str__(self) -> str:
        return str(artifacts_root() / "cache")


class RecordSerializer(Serializer):
    """Results as records."""

    type: str = Field(default=SERIALIZER, frozen=True)

    def dumps(self, obj: Any) -> bytes:
        if isinstance(obj, BaseException):
            return JSONSerializer().dumps(obj)  # Prefect's note of a failure, under a key of its own: never believed
        if isinstance(obj, Record):
            return obj.model_dump_json().encode()
        written_by = get_transaction()
        assert written_by
        assert written_by.key
        return Record(key=written_by.key, result=obj).model_dump_json().encode()

    def loads(self, blob: bytes) -> Any:
        return parse_record(blob).result


@dataclass(frozen=True)
class Held:
    """A lock: who holds it, and what its record said when it was acquired."""

    holder: str
    lock: FileLock
    before: bytes | None


class RecordLocks(LockManager):
    """Locks on records, between threads and processes. A killed process loses its locks.

    Whoever acquires a lock finds no untrue record: neither damaged, nor changed, nor of an artifact that is gone or
    damaged. Machines that share artifacts share records too: one is fetched when its lock is acquired, and a new one is
    shared when the lock is released. (Two machines don't wait for each other. If both need something at once, both
    compute it, and get the same.)
    """

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}  # by key

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        try:
            lock = _acquire(key, 0)
            if not lock:
                get_run_logger().info("This is being computed elsewhere: waiting for it")
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
        self._held[key] = Held(holder, lock, _read(key))
        return True

    async def aacquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        return await asyncio.to_thread(self.acquire_lock, key, holder, acquire_timeout, hold_timeout)

    def release_lock(self, key: str, holder: str) -> None:
        if not self.is_lock_holder(key, holder):
            raise ValueError(f"{holder} does not hold {key}")
        held = self._held.pop(key)
        try:
            if is_shared() and _read(key) not in (held.before, None):
                share_file(_path(key))
        finally:
            release(held.lock)

    def is_lock_holder(self, key: str, holder: str) -> bool:
        return key in self._held and self._held[key].holder == holder

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
        written = read_json(path)
        record = parse_record(written["result"])
        is_ours = written["metadata"]["serializer"] == {"type": SERIALIZER} and record.key == key
        true = is_ours and is_intact(record.result)
    except (OSError, ValueError, KeyError, TypeError):
        true = False
    if not true:
        get_run_logger().warning("What was stored as %s is gone or damaged: it is recomputed.", key)
        remove(path)
        if is_shared():
            remove_shared(_path(key))


def is_intact(result: Handle | tuple[Handle, ...]) -> bool:
    """Whether all that a stage's result names is there and undamaged."""
    return all(handle.is_intact() for handle in (result if isinstance(result, tuple) else (result,)))


def _read(key: str) -> bytes | None:
    with suppress(FileNotFoundError):
        return (artifacts_root() / _path(key)).read_bytes()
    return None


def _path(key: str) -> str:
    """Of the key's record, below the roots."""
    return f"cache/{key}"
