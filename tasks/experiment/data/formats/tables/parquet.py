"""Parquet files that hold images and their labels, as Hugging Face's data sets do: one file, or those of a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats.arrays.labels import Labels, Names, class_labels, find_classes
from tasks.experiment.data.formats.files import regular, visible
from tasks.experiment.data.formats.images.image_files import ImageBytes, read_images
from tasks.experiment.data.formats.labelled import BroughtData, Labelled
from tasks.experiment.data.formats.parts import PARTS, Part
from tasks.experiment.data.formats.tables.parquet_file import UNUSED, Table, images_of, may_hold_images, open_table
from tasks.experiment.errors import UnusableInputError

LAYOUT = "Parquet files with the columns image and label"
SUFFIX = ".parquet"


def recognizes(path: Path) -> bool:
    files = _files(path)
    return path in files or any(may_hold_images(regular(file, path)) for file in files)


def read(path: Path, sizing: Sizing) -> BroughtData:
    root = path if path.is_dir() else path.parent
    tables = [open_table(regular(file, root), path if path.is_dir() else None) for file in _files(path)]
    names = {table.names for table in tables}
    if len(names) > 1:
        raise UnusableInputError(f"the Parquet files of {path} name different classes: give files of one data set")
    places = np.concatenate([table.places for table in tables])
    rows = {place: int(np.sum(places == place)) for place in (UNUSED, *range(len(PARTS)))}
    if not rows[PARTS.index("train")]:
        raise UnusableInputError(
            f"{path} holds no labelled images to train on: name a file train.parquet, or give more"
        )
    pixels, notes = read_images(Images(tables), sizing)
    if rows[UNUSED]:
        notes.append(f"{rows[UNUSED]:,} of {len(places):,} rows have no label: unlabelled images can't be used.")
    labels: dict[Part, Labels] = {}
    for place, part in enumerate(PARTS):
        if rows[place]:
            given = np.concatenate([table.labels[table.places == place] for table in tables])
            labels[part] = class_labels(given, rows[place], f"the {part} rows of {path}", notes)
    classes = find_classes(labels, Names(str(path), names.pop()), str(path), notes)
    parts: dict[Part, Labelled] = {}
    begin = 0
    for part, of_part in classes.places.items():
        parts[part] = Labelled(pixels[begin : begin + len(of_part)], of_part, f"the {part} rows of {path}")
        begin += len(of_part)
    return BroughtData(classes.names, parts, classes.numbers, tuple(notes))


@dataclass(frozen=True)
class Images:
    """The labelled images of all parts, one part after the other, read a few at a time, each time anew."""

    tables: list[Table]

    def __iter__(self) -> Iterator[ImageBytes]:
        for place in range(len(PARTS)):
            for table in self.tables:
                wanted = table.places == place
                if wanted.any():
                    yield from images_of(table, wanted)


def _files(path: Path) -> list[Path]:
    """The file, or those of a folder or of the folders in it."""
    if not path.is_dir():
        return [path] if path.suffix.lower() == SUFFIX and path.is_file() else []
    folders = [path, *(entry for entry in visible(path) if entry.is_dir())]
    return [file for folder in folders for file in sorted(folder.glob(f"[!.]*{SUFFIX}"))]
