"""A quick look at a data set: how many images a class has, and what looks suspicious."""

import hashlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.dataset import DataSet, Group

FEW = 20  # training images of a class
IMBALANCED = 3  # times as many images of one class as of another


class View(NamedTuple):
    """What a check looks at, by group of images. digests: of each image. counts: one row per class."""

    images: dict[Group, NDArray[np.uint8]]
    labels: dict[Group, list[int]]
    digests: dict[Group, list[bytes]]
    counts: list[dict[str, Any]]


def suspicions(data: DataSet) -> list[str]:
    """What its user should know before believing a result: one sentence each, none if all looks well."""
    groups: tuple[Group, ...] = get_args(Group)
    images = {group: data.images(group) for group in groups}
    labels = {group: data.labels(group).tolist() for group in groups}
    view = View(images, labels, {group: _digests(images[group]) for group in groups}, class_counts(data))
    return [sentence for check in CHECKS for sentence in check(view)]


def seen_in_training(view: View) -> Iterator[str]:
    """Test images that are training images too."""
    seen, test = set(view.digests["train"]), view.digests["test"]
    if twice := sum(digest in seen for digest in test):
        yield (
            f"{_images(twice, 'test')} of {len(test):,} {'is' if twice == 1 else 'are'} in the training images too, "
            "pixel by pixel: measured errors may be too low."
        )


def twins(view: View) -> Iterator[str]:
    """Equal training images with different labels."""
    labelled = list(zip(view.digests["train"], view.labels["train"], strict=True))
    label_of = dict(labelled)
    if other := sum(label_of[digest] != label for digest, label in labelled):
        yield f"{_images(other, 'training')} {'has' if other == 1 else 'have'} a twin of another class."


def single_colour(view: View) -> Iterator[str]:
    """Images without anything in them."""
    for kind, images in (("training", view.images["train"]), ("test", view.images["test"])):
        flat = images.reshape(len(images), math.prod(images.shape[1:]))
        if constant := int(np.sum(flat.min(1) == flat.max(1))):
            yield f"{_images(constant, kind)} {'is' if constant == 1 else 'are'} of a single colour."


def few(view: View) -> Iterator[str]:
    """Classes with few training images."""
    if found := [f"{row['class']} ({row['training']})" for row in view.counts if row["training"] < FEW]:
        yield f"Few training images: {', '.join(found)}."


def untested(view: View) -> Iterator[str]:
    """Classes without test images, where others have some."""
    found = [row["class"] for row in view.counts if not row["test"]]
    if found and len(found) < len(view.counts):
        yield f"No test images: {', '.join(found)}."


def imbalanced(view: View) -> Iterator[str]:
    """Classes with far more images than others: then a high accuracy may be that of naming one class always."""
    rows = sorted(view.counts, key=lambda row: row["training"])
    if rows[-1]["training"] >= IMBALANCED * max(1, rows[0]["training"]):
        often, rare = rows[-1], rows[0]
        share = often["test"] / max(1, sum(row["test"] for row in rows))
        yield (
            f"Imbalanced classes: {often['training']:,} training images of {often['class']}, {rare['training']:,} of "
            f"{rare['class']}. Naming {often['class']} always would be right on {100 * share:.1f} % of all test images."
        )


CHECKS = (seen_in_training, twins, single_colour, few, untested, imbalanced)


def class_counts(data: DataSet) -> list[dict[str, Any]]:
    """One row per class: its name, and how many images it has for training, validation and test."""
    training, validation = data.training_and_validation(data.labels("train"))
    parts = {"training": training, "validation": validation, "test": data.labels("test")}
    counts = {part: np.bincount(labels, minlength=len(data.classes)).tolist() for part, labels in parts.items()}
    return [
        {"class": name} | {part: count[number] for part, count in counts.items()}
        for number, name in enumerate(data.classes)
    ]


def samples(data: DataSet, columns: int) -> list[NDArray[np.uint8]]:
    """The first training images of each class, `columns` of them at most."""
    labels, images = data.labels("train"), data.images("train")
    return [images[np.flatnonzero(labels == number)[:columns]] for number in range(len(data.classes))]


def _digests(images: NDArray[np.uint8]) -> list[bytes]:
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def _images(count: int, kind: str) -> str:
    return f"{count:,} {kind} image{'' if count == 1 else 's'}"
