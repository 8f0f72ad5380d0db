"""The runs that are kept, and which one is the latest."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from tasks.storage.files import printable, read_json, write_text
from tasks.storage.locks import temporary_folder
from tasks.storage.roots import artifacts_root, is_shared, shared_root
from tasks.storage.sharing import read_shared, share

RECORD, LATEST = "run.json", "latest"
INDEX = "index.html"  # beside the runs' folders


class NoRunError(ValueError):
    """There is no such run; one sentence."""


@dataclass(frozen=True)
class Run:
    """A run's folder, when it was made (ISO 8601, UTC), and the artifacts it came from (paths below the root)."""

    folder: Path | UPath
    time: str
    artifacts: frozenset[str]


def read_runs() -> list[Run]:
    """All runs, oldest first. One without a record counts as the oldest and needs no artifact."""
    runs = []
    for folder in run_folders(shared_root()):
        try:
            record = read_json(folder / RECORD)
        except (OSError, ValueError):
            record = {}
        runs.append(Run(folder, record.get("time", ""), frozenset(record.get("artifacts", ()))))
    return sorted(runs, key=lambda run: (run.time, run.folder.name))


def run_folders(root: Path | UPath) -> Iterator[Any]:
    """The folders of all runs below a root, of its kind of path."""
    return (folder for folder in (root / "runs").glob("[!.]*") if folder.name != INDEX)


def find_run(named: str) -> Path | UPath:
    """The folder of a run, by its path, its name, or as `latest`, `latest~1` (the one before), … Raises NoRunError."""
    if counted := re.fullmatch(rf"{LATEST}(?:~([0-9]+))?", named):
        names = [run.folder.name for run in read_runs()]
        latest = latest_run()
        place = names.index(latest) if latest in names else -1
        if place < (back := int(counted[1] or 0)):
            many = f"only {place + 1} up to the latest one" if names else "none yet"
            raise NoRunError(f"there is no run {named}: of finished runs there {'is' if place < 1 else 'are'} {many}")
        return shared_root() / "runs" / names[place - back]
    for folder in (Path(named), shared_root() / "runs" / named):
        if named and folder.is_dir():
            return folder
    raise NoRunError(
        f"there is no run {printable(named)}: give a name from {printable(shared_root() / 'runs')}, the path of a "
        f"run's folder, {LATEST}, or {LATEST}~1"
    )


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
        write_text(shared_root() / LATEST, f"runs/{name}\n")
    return not is_own
