"""What every format gives: labelled images with class names, checked. What can't be used is refused in one sentence."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.formats.files import regular
from tasks.experiment.errors import UnusableInputError

NAMES_FILE = "classes.txt"  # one name per line, class 0 first
MAX_BYTES = 2 << 30  # of all images together, decoded
MAX_SIDE = 256  # pixels
MAX_CLASSES = 1_000


@dataclass(frozen=True)
class Labelled:
    """images: uint8, (n, height, width) or (n, height, width, 3); labels: int64, (n,); origin: for messages."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    origin: str

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: NDArray[Any]) -> "Labelled":
        return Labelled(self.images[rows], self.labels[rows], self.origin)


@dataclass(frozen=True)
class BroughtData:
    """Labels are indices of `classes`. test: None if there are no test images."""

    classes: tuple[str, ...]
    train: Labelled
    test: Labelled | None


def labelled(images: NDArray[Any], labels: NDArray[Any], origin: str) -> Labelled:
    """Checked: whole pixels of 0–255 in a known shape, and a class number for each image."""
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)):
        raise UnusableInputError(
            f"{origin} has the shape {images.shape}: give (images, height, width) or (images, height, width, 3)"
        )
    if labels.ndim == 2 and labels.shape[-1] == 1:
        labels = labels[:, 0]
    if labels.shape != images.shape[:1]:
        raise UnusableInputError(
            f"{origin} has {len(images)} images, but labels of shape {labels.shape}: give one class number per image"
        )
    if images.dtype != np.uint8:
        whole = np.issubdtype(images.dtype, np.number) and np.array_equal(images, np.clip(np.round(images), 0, 255))
        if not whole or np.iscomplexobj(images):
            raise UnusableInputError(
                f"{origin} must be pixels of 0 to 255 in whole numbers: scale, round, and save them as uint8"
            )
        images = images.astype(np.uint8)
    if not np.issubdtype(labels.dtype, np.integer) or np.any(labels < 0):
        raise UnusableInputError(f"the labels of {origin} must be whole numbers from 0: 0 is the first class")
    return Labelled(images, labels.astype(np.int64), origin)


def names_beside(path: Path) -> Path:
    """The file of class names for data in one file: digits.classes.txt for digits.npz."""
    return path.with_name(f"{path.stem}.{NAMES_FILE}")


def class_names(file: Path, train: Labelled, test: Labelled | None) -> tuple[str, ...]:
    """The lines of `file`, class 0 first; without that file the numbers are the names."""
    highest = max(int(group.labels.max(initial=0)) for group in (train, test) if group)
    if not os.path.lexists(file):
        if highest >= MAX_CLASSES:
            raise UnusableInputError(
                f"{train.origin} has the label {highest}; the limit is {MAX_CLASSES:,} classes, numbered from 0"
            )
        return tuple(str(number) for number in range(highest + 1))
    try:
        text = regular(file, file.parent).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{file} can't be read as UTF-8 text: {error}") from error
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if highest >= len(names):
        raise UnusableInputError(
            f"{train.origin} or its test images have the label {highest}, but {file} names {len(names)} classes, "
            f"0 to {len(names) - 1}"
        )
    return names


def refuse_unusable(data: BroughtData, path: Path) -> None:
    """Refuse data with which no experiment can be made."""
    height, width = data.train.images.shape[1:3]
    if max(height, width) > MAX_SIDE:
        raise UnusableInputError(
            f"{path} has images of {width} × {height} pixels; the limit is {MAX_SIDE} × {MAX_SIDE}: make them smaller"
        )
    if len(data.classes) > MAX_CLASSES:
        raise UnusableInputError(f"{path} has {len(data.classes):,} classes; the limit is {MAX_CLASSES:,}")
    if len(data.classes) < 2:
        raise UnusableInputError(f"{path} has one class only ({data.classes[0]}): there is nothing to tell apart")
    lowered = [name.lower() for name in data.classes]
    if len(set(lowered)) < len(lowered):
        twice = next(name for name in lowered if lowered.count(name) > 1)
        raise UnusableInputError(f"{path} has two classes with the name {twice!r} (capitals aside): rename one")
    if data.test and data.test.images.shape[1:] != data.train.images.shape[1:]:
        raise UnusableInputError(
            f"the training images of {path} have the shape {data.train.images.shape[1:]} and its test images "
            f"{data.test.images.shape[1:]}: they must be the same"
        )
    counts = np.bincount(data.train.labels, minlength=len(data.classes))
    if data.test and (unseen := np.setdiff1d(data.test.labels, data.train.labels)).size:
        names = ", ".join(data.classes[label] for label in unseen)
        raise UnusableInputError(f"{path} has test images of classes without training images: {names}")
    needed = 2 if data.test else 3  # one to train on, one for validation, one to test
    if few := [name for name, count in zip(data.classes, counts, strict=True) if count < needed]:
        raise UnusableInputError(f"{path} has fewer than {needed} training images of {', '.join(few)}")
