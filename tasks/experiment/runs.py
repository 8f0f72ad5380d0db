"""The runs that are kept, and house-keeping: what no kept run needs goes."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.experiment.store import UnusableArtifactsError, artifacts_root

RECORD = "run.json"


class InUseError(RuntimeError):
    """A run is using the artifacts."""


@dataclass(frozen=True)
class Run:
    """A run's folder, when it was made (ISO 8601, UTC), and the artifacts it came from (paths below the root)."""

    folder: Path
    time: str
    artifacts: frozenset[str]


@dataclass(frozen=True)
class Removal:
    """What goes: a folder or file, and how many bytes it holds."""

    path: Path
    bytes: int


def read_runs() -> list[Run]:
    """All runs, oldest first. One without a record counts as the oldest and needs no artifact."""
    runs = []
    for folder in (artifacts_root() / "runs").glob("[!.]*"):
        try:
            record = json.loads((folder / RECORD).read_text())
        except (OSError, ValueError):
            record = {}
        runs.append(Run(folder, record.get("time", ""), frozenset(record.get("artifacts", ()))))
    return sorted(runs, key=lambda run: (run.time, run.folder.name))


@contextmanager
def artifacts_in_use() -> Iterator[None]:
    """While a run is in here nothing is pruned. The lock is the process's: it ends with it, however it ends."""
    with _lock(fcntl.LOCK_SH):
        yield


@contextmanager
def _lock(operation: int) -> Iterator[None]:
    try:
        artifacts_root().mkdir(parents=True, exist_ok=True)
        file = (artifacts_root() / ".in-use").open("w")
    except OSError as error:
        raise UnusableArtifactsError(error) from error
    with file:
        fcntl.flock(file, operation)
        yield


def prune(keep: int, *, dry_run: bool = False) -> list[Removal]:
    """Remove all but the newest `keep` runs and what only the others need; `latest` stays. What went, or would go.

    Cache records stay as long as what they name does, so that a kept run is still found in the cache when it is run
    again; of several records that say the same only the newest stays.

    Raises InUseError, and removes nothing, while a run is using the artifacts.
    """
    try:
        with _lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            removals = [Removal(path, _size(path)) for path in _dispensable(keep)]
            for removal in removals if not dry_run else []:
                shutil.rmtree(removal.path) if removal.path.is_dir() else removal.path.unlink()
            return removals
    except BlockingIOError:
        raise InUseError("a run is using the artifacts: nothing was removed, try again when it has ended") from None


def _dispensable(keep: int) -> Iterator[Path]:
    root, runs = artifacts_root(), read_runs()
    latest = (root / "latest").resolve()
    kept = [run for number, run in enumerate(reversed(runs)) if number < keep or run.folder.resolve() == latest]
    yield from (run.folder for run in runs if run not in kept)
    needed = {path for run in kept for path in run.artifacts}
    yield from (folder for folder in (root / "store").glob("*/*") if str(folder.relative_to(root)) not in needed)
    said: set[str] = set()
    records = [file for file in (root / "cache").glob("*") if file.is_file()]
    for file in sorted(records, key=lambda file: file.stat().st_mtime, reverse=True):
        result = _result(file)
        text = json.dumps(result, sort_keys=True)
        if result is None or not _paths(result) <= needed or text in said:
            yield file
        said.add(text)


def _result(file: Path) -> Any:
    """What a cache record says; None if it can't be read, or says only that the task failed."""
    try:
        return json.loads(json.loads(file.read_text())["result"])["result"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _paths(result: Any) -> set[str]:
    """The artifacts that a result names."""
    if isinstance(result, dict):
        own = {result["path"]} if {"path", "digest"} <= result.keys() else set()
        return own.union(*(_paths(value) for value in result.values()))
    return set().union(*(_paths(item) for item in result)) if isinstance(result, list) else set()


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in [path, *path.rglob("*")] if not file.is_dir())
