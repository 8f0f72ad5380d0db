"""Labels as people save them, made places of classes: numbers, names, one-hot rows."""

import itertools
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.class_names import in_order
from tasks.experiment.data.formats.files import regular
from tasks.experiment.data.formats.labelled import NAMED, some
from tasks.experiment.data.formats.parts import Part
from tasks.experiment.errors import UnusableInputError

NAMES_FILE = "classes.txt"  # one name per line, class 0 first
Labels = NDArray[np.int64] | NDArray[np.str_]


class Names(NamedTuple):
    """Given names of classes, class 0 first; None: there are none. origin: for messages."""

    origin: str
    given: tuple[str, ...] | None


class Classes(NamedTuple):
    """names; numbers: those of the classes in the data, empty if they count from 0; places: of each image's class."""

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    places: dict[Part, NDArray[np.int64]]


def names_beside(path: Path) -> Path:
    """The file of class names for data in one file: digits.classes.txt for digits.npz."""
    return path.with_name(f"{path.stem}.{NAMES_FILE}")


def class_labels(labels: NDArray[Any], images: int, origin: str, notes: list[str]) -> Labels:
    """One per image: whole numbers from 0, or names. They may come as a column, as whole floats, or one-hot."""
    if labels.ndim == 2 and labels.shape[-1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and len(labels) == images:
        labels = _of_one_hot(labels, origin)
        notes.append("The labels are one-hot: a class is the number of the column that holds the 1.")
    if labels.shape != (images,):
        raise UnusableInputError(
            f"{origin} has {images} images, but labels of shape {labels.shape}: give one class per image"
        )
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "backslashreplace")
    if labels.dtype.kind == "U":
        return labels
    if labels.dtype.kind not in "biuf" or not np.array_equal(labels, np.round(labels)) or np.any(labels < 0):
        raise UnusableInputError(f"the labels of {origin} must be names, or whole numbers from 0: 0 is the first class")
    if np.any(labels > np.iinfo(np.int32).max):
        raise UnusableInputError(f"the labels of {origin} go to {labels.max()}: give smaller numbers, or names")
    return labels.astype(np.int64)


def _of_one_hot(labels: NDArray[Any], origin: str) -> NDArray[np.int64]:
    if labels.dtype.kind not in "biuf" or not np.all((labels == 0) | (labels == 1)) or np.any(labels.sum(1) != 1):
        raise UnusableInputError(
            f"{origin} has labels of shape {labels.shape}, which are not one-hot (a single 1 in each row, else 0): "
            "give one class per image"
        )
    return labels.argmax(1).astype(np.int64)


def find_classes(labels: dict[Part, Labels], names: Names, origin: str, notes: list[str]) -> Classes:
    """What classes there are in the labels of all parts: those that have images, with their names.

    names: without any a number is the name. origin: for messages.
    """
    kinds = {each.dtype.kind for each in labels.values()}
    if len(kinds) > 1:
        raise UnusableInputError(f"some labels beside {origin} are names and others are numbers: give one kind")
    found = np.unique(np.concatenate(list(labels.values())))
    if kinds == {"U"}:
        if names.given is not None:
            notes.append(f"{Path(names.origin).name} was not used: the labels are names already.")
        own = in_order(found.tolist())
        place = {name: number for number, name in enumerate(own)}
        return Classes(tuple(own), (), {part: np.array([place[name] for name in each.tolist()], np.int64)
                                   for part, each in labels.items()})  # fmt: skip
    numbers = tuple(found.tolist())
    places = {part: np.searchsorted(found, each) for part, each in labels.items()}
    if names.given is None:
        known, last = set(numbers), max(numbers, default=0)
        unused = list(itertools.islice((n for n in range(last) if n not in known), NAMED))
        if unused:
            more = last + 1 - len(numbers) - len(unused)
            notes.append(f"Labels without images are no classes: {some(unused)}{f' and {more:,} more' * (more > 0)}.")
        return Classes(tuple(map(str, numbers)), (), places)
    count = len(names.given)
    # Labels count from 0; from 1 if only so there is a name for each.
    begin = 1 if numbers and numbers[0] >= 1 and numbers[-1] == count else 0
    if numbers and numbers[-1] - begin >= count:
        raise UnusableInputError(
            f"{origin}, or other images beside it, have the label {numbers[-1]}, but {names.origin} names {count} "
            f"classes, 0 to {count - 1}"
        )
    if begin:
        notes.append(f"Labels count from 1: the first name in {Path(names.origin).name} is that of label 1.")
    used = {number - begin for number in numbers}
    if unnamed := [name for place, name in enumerate(names.given) if place not in used]:
        notes.append(f"Names without images are no classes: {some(unnamed)}.")
    its_names = tuple(names.given[number - begin] for number in numbers)
    return Classes(its_names, () if numbers == tuple(range(len(numbers))) else numbers, places)


def read_names(file: Path) -> Names:
    """The lines of a file of class names, if it is there. Raises UnusableInputError if it can't be read."""
    if not os.path.lexists(file):
        return Names(str(file), None)
    try:
        text = regular(file, file.parent).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{file} can't be read as UTF-8 text: {error}") from error
    return Names(str(file), tuple(line.strip() for line in text.splitlines() if line.strip()))
