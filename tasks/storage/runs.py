"""The runs that are kept, and house-keeping: what no kept run needs goes."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from tasks.storage.in_use import artifacts_unused
from tasks.storage.locks import temporary_folder
from tasks.storage.roots import artifacts_root, is_shared, shared_root
from tasks.storage.sharing import read_shared, share

RECORD, LATEST = "run.json", "latest"


@dataclass(frozen=True)
class Run:
    """A run's folder, when it was made (ISO 8601, UTC), and the artifacts it came from (paths below the root)."""

    folder: Path | UPath
    time: str
    artifacts: frozenset[str]


@dataclass(frozen=True)
class Removal:
    """What goes: a folder or file, its name below its root and whose it is, and how many bytes it holds."""

    path: UPath
    name: str
    bytes: int


def read_runs() -> list[Run]:
    """All runs, oldest first. One without a record counts as the oldest and needs no artifact."""
    runs = []
    for folder in (shared_root() / "runs").glob("[!.]*"):
        try:
            record = json.loads((folder / RECORD).read_text())
        except (OSError, ValueError):
            record = {}
        runs.append(Run(folder, record.get("time", ""), frozenset(record.get("artifacts", ()))))
    return sorted(runs, key=lambda run: (run.time, run.folder.name))


def latest_run() -> str | None:
    """The name of the run that `latest` points at: by a link, or by its text where machines share it."""
    if is_shared():
        with suppress(FileNotFoundError):
            return Path(read_shared(LATEST).decode().strip()).name
        return None
    return (shared_root() / LATEST).resolve().name


def keep_run(name: str, new: Path) -> bool:
    """Put the folder `new` at runs/<name>, whole or not at all, and point `latest` at it.

    False if `latest` was left alone, since it is something of the user's own.
    """
    root = artifacts_root()
    folder, latest = root / "runs" / name, root / LATEST
    folder.parent.mkdir(parents=True, exist_ok=True)
    is_own = os.path.lexists(latest) and not latest.is_symlink()
    with temporary_folder(root) as temporary:
        if folder.exists():  # the same run, tried again
            folder.rename(temporary / "earlier")
        new.rename(folder)
        if not is_own:
            (temporary / LATEST).symlink_to(Path("runs") / name)
            (temporary / LATEST).replace(latest)
    if is_shared():
        share(f"runs/{name}", last=RECORD)
        (shared_root() / LATEST).write_text(f"runs/{name}\n")
    return not is_own


def prune(keep: int, *, dry_run: bool = False) -> list[Removal]:
    """Remove all but the newest `keep` runs and what only the others need; `latest` stays. What went, or would go.

    Cache records stay as long as what they name does, so that a kept run is still found in the cache when it is run
    again; of several records that say the same only the newest stays.

    Raises InUseError, and removes nothing, while a run is using the artifacts.
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
    needed = {path for run in kept for path in run.artifacts}
    roots = {"": shared_root()} | ({" (this machine's copy)": artifacts_root()} if is_shared() else {})
    for whose, root in roots.items():
        for path in _dispensable_below(UPath(root), names, needed):
            yield Removal(path, f"{path.relative_to(UPath(root))}{whose}", int(path.fs.du(path.path)))


def _dispensable_below(root: UPath, runs: set[str], needed: set[str]) -> Iterator[UPath]:
    yield from (folder for folder in (root / "runs").glob("[!.]*") if folder.name not in runs)
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
        return json.loads(json.loads(file.read_text())["result"])["result"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _paths(result: Any) -> set[str]:
    """The artifacts that a result names."""
    if isinstance(result, dict):
        own = {result["path"]} if {"path", "digest"} <= result.keys() else set()
        return own.union(*(_paths(value) for value in result.values()))
    return set().union(*(_paths(item) for item in result)) if isinstance(result, list) else set()
