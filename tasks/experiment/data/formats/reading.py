"""Your own data, read from where it lies, in whichever layout it has."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats import idx_folder, image_folder, npz, table
from tasks.experiment.data.formats.array_labels import names_beside
from tasks.experiment.data.formats.files import regular, visible_files
from tasks.experiment.data.formats.labelled import BroughtData, refuse_unusable
from tasks.experiment.errors import UnusableInputError
from tasks.storage.files import printable


class Format(Protocol):
    """What a module of this room must have. LAYOUT: what to give, for messages."""

    LAYOUT: str

    def recognizes(self, path: Path) -> bool: ...

    def read(self, path: Path, sizing: Sizing) -> BroughtData:
        """Raises UnusableInputError, one sentence, for what can't be read."""


FORMATS: tuple[Format, ...] = (
    idx_folder,
    npz,
    table,
    image_folder,  # any other folder with folders in it
)
LAYOUTS = f"give {', '.join(format.LAYOUT for format in FORMATS[:-1])}, or {FORMATS[-1].LAYOUT}"


def read_data(path: Path, sizing: Sizing = Sizing()) -> BroughtData:  # noqa: B008 (frozen)
    """The data at `path`, good enough for an experiment. Raises UnusableInputError, one sentence, if it isn't."""
    with _unreadable_refused(path):
        for format in FORMATS:
            if format.recognizes(path):
                data = format.read(path, sizing)
                data = replace(data, classes=tuple(printable(name) for name in data.classes))
                refuse_unusable(data, path)
                return data
        if path.is_dir():
            raise UnusableInputError(f"dataset {path} holds no class folders: {LAYOUTS}")
        what = "is not a kind of data that can be read" if path.exists() else "does not exist"
        raise UnusableInputError(f"dataset {path} {what}: {LAYOUTS}")


def fingerprint(path: Path) -> str:
    """sha256 over names and contents of all files that belong to what is at `path`.

    Raises UnusableInputError if one of them can't be read, or must not be.
    """
    digest = hashlib.sha256()
    with _unreadable_refused(path):
        for file in _files(path):
            with file.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(os.fsencode(f"{file.relative_to(path.parent)} {content}\n"))
    return digest.hexdigest()


def _files(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return visible_files(path, path)
    names = names_beside(path)
    beside = [regular(names, path.parent)] if os.path.lexists(names) else []
    own = table.files(path) if table.recognizes(path) else [path] if path.is_file() else []
    return [*own, *beside]


@contextmanager
def _unreadable_refused(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnusableInputError(f"{error.filename or path} can't be read: {error.strerror}") from error
