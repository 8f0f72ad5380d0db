"""A quick look at a data set: how many images a class has, and what looks suspicious."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.dataset import DataSet

FEW = 20  # training images of a class


def suspicions(data: DataSet) -> list[str]:
    """What its user should know before believing a result: a sentence each, none if all looks well."""
    found = []
    train, test = (_digests(data.images(part)) for part in ("train", "test"))
    seen = set(train)
    if twice := sum(digest in seen for digest in test):
        found.append(
            f"{_images(twice, 'test')} of {len(test):,} {'is' if twice == 1 else 'are'} in the training images too, "
            "pixel by pixel: measured errors may be too low."
        )
    labels = dict(zip(train, data.labels("train").tolist(), strict=True))
    other = sum(labels[d] != label for d, label in zip(train, data.labels("train").tolist(), strict=True))
    if other:
        found.append(f"{_images(other, 'training')} {'has' if other == 1 else 'have'} a twin of another class.")
    for part in ("train", "test"):
        images = data.images(part)
        flat = images.reshape(len(images), -1)
        if constant := int(np.sum(flat.min(1) == flat.max(1))):
            name = "training" if part == "train" else part
            found.append(f"{_images(constant, name)} {'is' if constant == 1 else 'are'} of a single colour.")
    counts = class_counts(data)
    if few := [f"{row['class']} ({row['training']})" for row in counts if row["training"] < FEW]:
        found.append(f"Few training images: {', '.join(few)}.")
    if untested := [row["class"] for row in counts if not row["test"]]:
        found.append(f"No test images: {', '.join(untested)}.")
    return found


def class_counts(data: DataSet) -> list[dict[str, Any]]:
    """A row a class: its name, and how many images it has for training, validation and test."""
    labels, n = data.labels("train"), len(data.classes)
    cut = len(labels) - data.validation_images
    parts = {"training": labels[:cut], "validation": labels[cut:], "test": data.labels("test")}
    counts = {name: np.bincount(part, minlength=n).tolist() for name, part in parts.items()}
    return [{"class": data.classes[i]} | {name: count[i] for name, count in counts.items()} for i in range(n)]


def samples(data: DataSet, columns: int) -> list[NDArray[np.uint8]]:
    """The first training images of each class, `columns` of them at most."""
    labels, images = data.labels("train"), data.images("train")
    return [images[np.flatnonzero(labels == number)[:columns]] for number in range(len(data.classes))]


def _digests(images: NDArray[np.uint8]) -> list[bytes]:
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def _images(count: int, kind: str) -> str:
    return f"{count:,} {kind} image{'' if count == 1 else 's'}"
