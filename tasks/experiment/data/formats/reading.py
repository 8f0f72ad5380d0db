"""Your own data, read from where it lies, in whichever layout it has."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats import archive
from tasks.experiment.data.formats.arrays import idx_folder, npz
from tasks.experiment.data.formats.arrays.labels import names_beside
from tasks.experiment.data.formats.files import regular, visible, visible_files
from tasks.experiment.data.formats.images import image_folder
from tasks.experiment.data.formats.labelled import BroughtData, refuse_unusable
from tasks.experiment.data.formats.parts import part_of
from tasks.experiment.data.formats.tables import csv_table, parquet
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
    parquet,
    csv_table,
    image_folder,  # any other folder with folders in it
)
LAYOUTS = f"give {', '.join(format.LAYOUT for format in FORMATS)}, or {archive.LAYOUT}"


def read_data(path: Path, sizing: Sizing = Sizing()) -> BroughtData:  # noqa: B008 (frozen)
    """The data at `path`, good enough for an experiment. Raises UnusableInputError, one sentence, if it isn't."""
    with archive.unpacked(path) as place, _unreadable_refused(place):
        given = place if place == path else _within(place)
        for format in FORMATS:
            if format.recognizes(given):
                data = format.read(given, sizing)
                data = replace(data, classes=tuple(printable(name) for name in data.classes))
                refuse_unusable(data, given)
                return data
        if given.is_dir():
            raise UnusableInputError(f"dataset {given} holds no class folders: {LAYOUTS}")
        what = "is not a kind of data that can be read" if given.exists() else "does not exist"
        raise UnusableInputError(f"dataset {given} {what}: {LAYOUTS}")


def _within(folder: Path) -> Path:
    """The data in an unpacked archive: the folder, the one folder in it, or its one file that is data by itself."""
    entries = visible(folder)
    files = [entry for entry in entries if npz.recognizes(entry) or csv_table.has_labels(entry, folder)]
    if len(files) == 1 and not csv_table.recognizes(folder):
        return files[0]
    if len(entries) == 1 and entries[0].is_dir() and not part_of(entries[0].name):
        return _within(entries[0])
    return folder


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
    if archive.is_archive(path):
        return [path]
    names = names_beside(path)
    beside = [regular(names, path.parent)] if os.path.lexists(names) else []
    own = csv_table.files(path) if csv_table.recognizes(path) else [path] if path.is_file() else []
    return [*own, *beside]


@contextmanager
def _unreadable_refused(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnusableInputError(f"{error.filename or path} can't be read: {error.strerror}") from error
