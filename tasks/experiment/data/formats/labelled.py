"""What every format gives: labelled images with class names, checked. What can't be used is refused in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.formats.parts import Part
from tasks.experiment.errors import UnusableInputError

MAX_BYTES = 2 << 30  # of all images together, decoded
MAX_SIDE = 256  # pixels
MAX_CLASSES = 1_000
NAMED = 20  # labels or classes in a message


@dataclass(frozen=True)
class Labelled:
    """images: uint8, (n, height, width) or (n, height, width, 3); labels: int64, (n,); origin: for messages.

    files: the name of each image's file, in the data's folder; empty if they are not files.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    origin: str
    files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: NDArray[Any]) -> "Labelled":
        files = tuple(np.array(self.files)[rows].tolist()) if self.files else ()
        return Labelled(self.images[rows], self.labels[rows], self.origin, files)

    def followed_by(self, others: "Labelled") -> "Labelled":
        images, labels = (self.images, others.images), (self.labels, others.labels)
        files = self.files + others.files if self.files and others.files else ()
        return Labelled(np.concatenate(images), np.concatenate(labels), self.origin, files)


@dataclass(frozen=True)
class BroughtData:
    """Labels are places in `classes`. parts: "train", and the others if they were given.

    numbers: those of the classes in the data; empty: they count from 0. notes: what was left out or changed in reading,
    one sentence each.
    """

    classes: tuple[str, ...]
    parts: dict[Part, Labelled]
    numbers: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def train(self) -> Labelled:
        return self.parts["train"]


def refuse_unusable(data: BroughtData, path: Path) -> None:
    """Refuse data with which no experiment can be made."""
    _refuse_classes(data.classes, path)
    for part, given in data.parts.items():
        if given.images.shape[1:] != data.train.images.shape[1:]:
            raise UnusableInputError(
                f"the training images of {path} have the shape {data.train.images.shape[1:]} and its {part} images "
                f"{given.images.shape[1:]}: they must be the same, or be made so by image_size"
            )
        if (unseen := np.setdiff1d(given.labels, data.train.labels)).size:
            raise UnusableInputError(
                f"{path} has {part} images of classes without training images: "
                f"{some([data.classes[label] for label in unseen])}"
            )
    counts = np.bincount(data.train.labels, minlength=len(data.classes))
    needed = 4 - len(data.parts)  # one to train on, and one for each part that is not given
    if few := [name for name, count in zip(data.classes, counts, strict=True) if count < needed]:
        raise UnusableInputError(f"{path} has fewer than {needed} training images of {some(few)}")


def _refuse_classes(classes: tuple[str, ...], path: Path) -> None:
    if len(classes) > MAX_CLASSES:
        raise UnusableInputError(f"{path} has {len(classes):,} classes; the limit is {MAX_CLASSES:,}")
    if not classes:
        raise UnusableInputError(f"{path} has no images")
    if len(classes) < 2:
        raise UnusableInputError(f"{path} has one class only ({classes[0]}): there is nothing to tell apart")
    lowered = [name.lower() for name in classes]
    if len(set(lowered)) < len(lowered):
        twice = next(name for name in lowered if lowered.count(name) > 1)
        raise UnusableInputError(f"{path} has two classes with the name {twice!r} (capitals aside): rename one")


def some(names: Sequence[object]) -> str:
    """The names, as many as a sentence can hold."""
    return ", ".join(map(str, names[:NAMED])) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
