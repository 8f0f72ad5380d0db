"""Which files are read of what people give: regular ones, and of a folder only what is inside it, links followed."""

from collections.abc import Iterator
from pathlib import Path

from tasks.experiment.errors import UnusableInputError

SYSTEM_NAMES = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"}  # what systems add to folders and archives


def given_path(text: str) -> Path:
    """The path that a user gave, of this machine: ~ is a home here. Raises UnusableInputError if there is none."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UnusableInputError(f"{text} begins with the home of someone who has none here: give the path") from error


def regular(file: Path, folder: Path | None = None) -> Path:
    """`file`, if it is a regular one, and inside `folder` if that is given: a FIFO or a device might have no end.

    Raises UnusableInputError if it is not.
    """
    if not file.exists() and not file.is_symlink():
        raise UnusableInputError(f"{file} does not exist: check the path")
    if not file.is_file():
        raise UnusableInputError(f"{file} is not a regular file: take it away, or put one in its place")
    if folder and file.is_symlink():
        _refuse_outside(file, folder)
    return file


def inside(file: Path, root: Path) -> Path:
    """`file`, if it is a regular one inside `root`, however it is named. Raises UnusableInputError if it is not."""
    _refuse_outside(file, root)
    return regular(file)


def visible(folder: Path) -> list[Path]:
    """What is in a folder, in order, but for what is hidden, or was put there by a system and is no data."""
    entries = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return sorted(entry for entry in entries if entry.name.lower() not in SYSTEM_NAMES)


def visible_files(folder: Path, root: Path) -> Iterator[Path]:
    """All visible files below `folder`, in order. Links are followed, but not out of `root`.

    Raises UnusableInputError for what is neither a folder nor a regular file, or leads elsewhere.
    """
    return _visible_files(folder, root, ())


def _visible_files(folder: Path, root: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    real = _refuse_outside(folder, root)
    if real in above:
        raise UnusableInputError(f"{folder} is a link to a folder that it is in: take it away")
    for entry in visible(folder):
        if entry.is_dir():
            yield from _visible_files(entry, root, (*above, real))
        else:
            yield regular(entry, root)


def _refuse_outside(path: Path, folder: Path) -> Path:
    """Where `path` really is, if that is inside `folder`."""
    real = path.resolve()
    if not real.is_relative_to(folder.resolve()):
        raise UnusableInputError(f"{path} leads to {real}, outside of {folder}: take it away, or put a copy there")
    return real
