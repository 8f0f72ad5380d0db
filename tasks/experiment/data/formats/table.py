"""A CSV table of image files and their labels: one file, or metadata.csv in a folder, as Hugging Face has it."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats.array_labels import NAMES_FILE, Labels, find_classes, names_beside
from tasks.experiment.data.formats.files import inside, regular, visible
from tasks.experiment.data.formats.image_files import read_images
from tasks.experiment.data.formats.labelled import BroughtData, Labelled, some
from tasks.experiment.data.formats.parts import PARTS, Part, part_of
from tasks.experiment.errors import UnusableInputError

LAYOUT = "a .csv file with the columns file_name and label (or a folder with such a metadata.csv)"
TABLE = "metadata.csv"
MAX_HEADER = 10_000  # characters
FILE = ("file_name", "filename", "file", "path", "image_path", "filepath", "image")
LABEL = ("label", "class", "category", "target", "labels", "class_name")
PART = ("split", "part", "set", "subset")


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
    names = path / NAMES_FILE if path.is_dir() else names_beside(path)
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
    folders = [path, *(folder for folder in visible(path) if part_of(folder.name) and folder.is_dir())]
    tables = [folder / TABLE for folder in folders if _has_labels(folder / TABLE)]
    return tables[:1] if tables and tables[0].parent == path else tables


def _has_labels(table: Path) -> bool:
    """Whether it is a table with labels: another metadata.csv tells something else of images in class folders."""
    if not table.is_file():
        return False
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        header = stream.readline(MAX_HEADER)
    return bool(_column({name.strip(' "\r\n').lower(): name for name in header.split(",")}, LABEL))


def _rows(table: Path, root: Path) -> Iterator[Row]:
    """Raises UnusableInputError for a table without the columns, or that names files outside of `root`."""
    regular(table, root)
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = {name.strip().lower(): name for name in reader.fieldnames or ()}
            file, label, part = (_column(columns, wanted) for wanted in (FILE, LABEL, PART))
            if not file or not label:
                raise UnusableInputError(
                    f"{table} must have a column {FILE[0]} and one {LABEL[0]}; it has {some(list(columns)) or 'none'}"
                )
            for row in reader:
                name = (row[file] or "").strip()
                name = os.path.relpath(name, table.parent) if Path(name).is_absolute() else name
                place = (row[part] or "").strip() if part else _first_folder(table.parent, root, name)
                belongs = part_of(place) or (None if part else "train")
                if not belongs:
                    raise UnusableInputError(f"{table} has the {part} {place!r}, which is none of train, val and test")
                yield Row(inside(table.parent / name, root), (row[label] or "").strip(), belongs)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableInputError(f"{table} can't be read as a table in UTF-8: {error}") from error


def _column(columns: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return next((columns[name] for name in wanted if name in columns), None)


def _first_folder(folder: Path, root: Path, name: str) -> str:
    """The folder of the root in which a file is, if it is in one."""
    parts = (folder / name).relative_to(root).parts
    return parts[0] if len(parts) > 1 else ""
