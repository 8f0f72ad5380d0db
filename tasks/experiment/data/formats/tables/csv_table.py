"""A CSV table of image files and their labels: one file, or one in a folder, as Hugging Face and Kaggle have it."""

import csv
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats.arrays.labels import NAMES_FILE, Labels, find_classes, names_beside, read_names
from tasks.experiment.data.formats.files import inside, regular, visible
from tasks.experiment.data.formats.images.image_files import is_image, read_images
from tasks.experiment.data.formats.labelled import BroughtData, Labelled, some
from tasks.experiment.data.formats.parts import PARTS, Part, part_of
from tasks.experiment.data.formats.tables.columns import FILE, LABEL, PART, column
from tasks.experiment.errors import UnusableInputError

LAYOUT = "a .csv file with the columns file_name and label (or a folder with such a metadata.csv or labels.csv)"
METADATA = "metadata.csv"  # Hugging Face's, which may hold anything
TABLES = (METADATA, "labels.csv", "train.csv")  # the others are Kaggle's
PLACES = ("", "train", "images", "train_images")  # below the table's folder, where files may be that it names
MAX_LINE = 10_000  # characters


class Columns(NamedTuple):
    """What a table calls them. part: None if it has none."""

    file: str
    label: str
    part: str | None


class Row(NamedTuple):
    """label: empty if there is none."""

    file: Path
    label: str
    part: Part


def recognizes(path: Path) -> bool:
    return bool(_tables(path))


def files(path: Path) -> Iterator[Path]:
    """All files that belong to the table at `path`, which is a .csv file."""
    yield path
    yield from sorted({row.file for row in _rows(path, path.parent)})


def read(path: Path, sizing: Sizing) -> BroughtData:
    root = path if path.is_dir() else path.parent
    rows = [row for table in _tables(path) for row in _rows(table, root)]
    labelled = sorted((row for row in rows if row.label), key=lambda row: PARTS.index(row.part))  # stable
    pixels, notes = read_images([row.file for row in labelled], sizing)
    if unlabelled := len(rows) - len(labelled):
        notes.append(f"{unlabelled:,} of {len(rows):,} rows have no label: unlabelled images can't be used.")
    of_part = {part: [row.label for row in labelled if row.part == part] for part in PARTS}
    if not of_part["train"]:
        raise UnusableInputError(f"{path} names no labelled images to train on: give {LAYOUT}")
    names = read_names(path / NAMES_FILE if path.is_dir() else names_beside(path))
    classes = find_classes(
        {part: _labels(texts, labelled) for part, texts in of_part.items() if texts}, names, str(path), notes
    )
    parts: dict[Part, Labelled] = {}
    begin = 0
    for part, places in classes.places.items():
        end = begin + len(places)
        its_files = tuple(os.path.relpath(row.file, root) for row in labelled[begin:end])
        parts[part] = Labelled(pixels[begin:end], places, f"the {part} rows of {path}", its_files)
        begin = end
    return BroughtData(classes.names, parts, classes.numbers, tuple(notes))


def _labels(texts: list[str], rows: list[Row]) -> Labels:
    """Numbers if all labels of the table are, else names."""
    numeric = all(row.label.isascii() and row.label.isdecimal() and len(row.label) < 10 for row in rows)
    return np.array([int(text) for text in texts], np.int64) if numeric else np.array(texts)


def _tables(path: Path) -> list[Path]:
    """The tables of a data set: one file, that of a folder, or those of its parts."""
    if not path.is_dir():
        return [path] if path.suffix.lower() == ".csv" and path.is_file() else []
    parts = (folder for folder in visible(path) if part_of(folder.name) and folder.is_dir())
    found = ([folder / name for name in TABLES if has_labels(folder / name, path)][:1] for folder in (path, *parts))
    own, *of_parts = found
    return own or [table for tables in of_parts for table in tables]


def has_labels(table: Path, root: Path) -> bool:
    """Whether it is a table with labels of files: others tell something else of images in class folders.

    Raises UnusableInputError if it leads out of `root`.
    """
    if table.suffix.lower() != ".csv" or not table.is_file():
        return False
    regular(table, root)
    try:
        with table.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            header, *rows = csv.reader([stream.readline(MAX_LINE), stream.readline(MAX_LINE)])
    except (csv.Error, ValueError):
        return False
    if table.name == METADATA:
        return bool(column(header, LABEL))
    columns = _columns(header, table)
    first = dict(zip(header, rows[0], strict=False)) if rows else {}
    return bool(columns and (name := first.get(columns.file)) and _finder(table.parent)(name).is_file())


def _columns(header: Sequence[str], table: Path) -> Columns | None:
    """Of two columns, one of them of files, the other one is the label, whatever it is called."""
    file, label, part = (column(header, wanted) for wanted in (FILE, LABEL, PART))
    if file and not label and len(header) == 2 and table.name != METADATA:
        label = next(name for name in header if name != file)
    return Columns(file, label, part) if file and label else None


def _rows(table: Path, root: Path) -> Iterator[Row]:
    """Raises UnusableInputError for a table without the columns, or that names files outside of `root`."""
    regular(table, root)
    find = _finder(table.parent)
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            header = reader.fieldnames or ()
            if not (columns := _columns(header, table)):
                has = some([name.strip().lower() for name in header]) or "none"
                raise UnusableInputError(f"{table} must have a column {FILE[0]} and one {LABEL[0]}; it has {has}")
            for row in reader:
                file = find((row[columns.file] or "").strip())
                place = (row[columns.part] or "").strip() if columns.part else _first_folder(file, root)
                belongs = part_of(place) or (None if columns.part else "train")
                if not belongs:
                    raise UnusableInputError(
                        f"{table} has the {columns.part} {place!r}, which is none of train, val and test"
                    )
                yield Row(inside(file, root), (row[columns.label] or "").strip(), belongs)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableInputError(f"{table} can't be read as a table in UTF-8: {error}") from error


def _finder(folder: Path) -> Callable[[str], Path]:
    """What tells a file by its name in the folder's table, perhaps without suffix: where it is, or should be."""

    @functools.cache
    def by_stem(place: Path) -> dict[str, Path]:
        return {file.stem: file for file in visible(place) if is_image(file)} if place.is_dir() else {}

    def find(name: str) -> Path:
        name = os.path.relpath(name, folder) if Path(name).is_absolute() else name
        if os.path.lexists(folder / name) or ".." in Path(name).parts:
            return folder / name
        for wanted in (folder / place / name for place in PLACES):
            if found := wanted if os.path.lexists(wanted) else by_stem(wanted.parent).get(wanted.name):
                return found
        return folder / name

    return find


def _first_folder(file: Path, root: Path) -> str:
    """The folder of the root in which a file is, if it is in one."""
    parts = file.relative_to(root).parts
    return parts[0] if len(parts) > 1 else ""
