"""Nothing is left behind: `python -m tests.support.leftovers COMMAND …` runs a command and fails if it left anything.

That is a process (and with it a port, since what listens is a process), or a new, changed or removed file at home or in
the project. Excepted are what tools cache in the project, and the data set.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tasks.storage.roots import ROOT

MARK = "LEFT_BY"  # processes inherit it from the command
ENDING = 600.0  # seconds that a process has to end after the command
EXCEPTED = {".git", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache"}


def processes(mark: str) -> Iterator[str]:
    """Id and command line of the processes that inherited the mark."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                words = (folder / "cmdline").read_text(errors="replace").split("\0")
                yield f"process {folder.name}: {' '.join(words)}"
        except OSError:  # of another user, or just ended
            continue


def files(top: str, excepted: set[str]) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of change of each file below a folder."""
    for entry in os.scandir(top):
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in EXCEPTED and entry.path not in excepted:
                yield from files(entry.path, excepted)
        else:
            with suppress(FileNotFoundError):  # just gone
                state = entry.stat(follow_symlinks=False)
                yield entry.path, state.st_size, state.st_mtime_ns


def seen() -> set[tuple[str, int, int]]:
    return {*files(str(Path.home()), {str(ROOT)}), *files(str(ROOT), {str(ROOT / "data")})}


def main() -> int:
    mark, before = uuid.uuid4().hex, seen()
    status = subprocess.run(sys.argv[1:], env=os.environ | {MARK: mark}, check=False).returncode
    deadline = time.monotonic() + ENDING
    while (left := list(processes(mark))) and time.monotonic() < deadline:
        time.sleep(0.5)
    left += sorted({f"file {path}" for path, *_ in before ^ seen()})
    for what in left:
        print(f"left behind: {what}", file=sys.stderr)
    return status or bool(left)


if __name__ == "__main__":
    sys.exit(main())
