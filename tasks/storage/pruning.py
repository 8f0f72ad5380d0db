"""Pruning: what no kept run needs is deleted."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from upath import UPath

from tasks.storage.files import read_json
from tasks.storage.in_use import artifacts_unused
from tasks.storage.roots import artifacts_root, is_shared, shared_root
from tasks.storage.runs import latest_run, read_runs, run_folders


@dataclass(frozen=True)
class Removal:
    """What is deleted: a folder or file, what kind of thing it is, how many bytes it holds, and the day of its making.

    kind: "runs", "artifacts of <stage>" or "cache records". day: ISO 8601, UTC; empty if it is not known.
    """

    path: UPath
    kind: str
    bytes: int
    day: str


def prune(keep: int, *, dry_run: bool = False) -> list[Removal]:
    """Delete all but the newest `keep` runs and what only the others need; `latest` stays.

    Returns what was deleted, or with `dry_run` what would be.

    Cache records stay as long as what they name does, so that a kept run is found in the cache when it is run
    again; of several records that say the same only the newest stays.

    Raises InUseError, and deletes nothing, while a run is using the artifacts.
    """
    with artifacts_unused():
        removals = list(_dispensable(keep))
        for removal in removals if not dry_run else []:
            removal.path.fs.rm(removal.path.path, recursive=True)
        return removals


def _dispensable(keep: int) -> Iterator[Removal]:
    runs, latest = read_runs(), latest_run()
    kept = [run for number, run in enumerate(reversed(runs)) if number < keep or run.folder.name == latest]
    names = {run.folder.name for run in kept}
    days = {run.folder.name: run.time[:10] for run in runs}
    needed = {path for run in kept for path in run.artifacts}
    roots = {"": shared_root()} | ({" (this machine's copy)": artifacts_root()} if is_shared() else {})
    for whose, root in roots.items():
        for path in _dispensable_below(UPath(root), names, needed):
            kind = _kind(path.relative_to(UPath(root)).parts)
            yield Removal(path, f"{kind}{whose}", int(path.fs.du(path.path)), days.get(path.name) or _day(path))


def _kind(parts: Sequence[str]) -> str:
    return f"artifacts of {parts[1]}" if parts[0] == "store" else {"cache": "cache records"}.get(parts[0], parts[0])


def _day(path: UPath) -> str:
    """When it was last changed. An object store does not know that of a folder."""
    try:
        changed = path.stat().st_mtime
    except OSError:
        return ""
    return f"{datetime.fromtimestamp(changed, UTC):%Y-%m-%d}" if changed else ""


def _dispensable_below(root: UPath, runs: set[str], needed: set[str]) -> Iterator[UPath]:
    yield from (folder for folder in run_folders(root) if folder.name not in runs)
    yield from (folder for folder in (root / "store").glob("*/*") if str(folder.relative_to(root)) not in needed)
    said: set[str] = set()
    records = [file for file in (root / "cache").glob("*") if file.is_file()]
    for file in sorted(records, key=lambda file: file.stat().st_mtime, reverse=True):
        result = _result(file)
        text = json.dumps(result, sort_keys=True)
        if result is None or not _paths(result) <= needed or text in said:
            yield file
        said.add(text)


def _result(file: UPath) -> Any:
    """What a cache record says; None if it can't be read, or says only that the task failed."""
    try:
        return json.loads(read_json(file)["result"])["result"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _paths(result: Any) -> set[str]:
    """The artifacts that a result names."""
    if isinstance(result, dict):
        own = {result["path"]} if {"path", "digest"} <= result.keys() else set()
        return own.union(*(_paths(value) for value in result.values()))
    return set().union(*(_paths(item) for item in result)) if isinstance(result, list) else set()
