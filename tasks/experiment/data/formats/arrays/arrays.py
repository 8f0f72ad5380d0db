"""Arrays of images and labels as people save them, made pixels of 0 to 255 and places of classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.fitting import Sizing, all_to_fit, made_colour
from tasks.experiment.data.formats.arrays.labels import class_labels, find_classes, read_names
from tasks.experiment.data.formats.labelled import MAX_SIDE, BroughtData, Labelled
from tasks.experiment.data.formats.parts import Part
from tasks.experiment.errors import UnusableInputError


@dataclass(frozen=True)
class Arrays:
    """Images and labels of a part as they were saved; origin: for messages."""

    images: NDArray[Any]
    labels: NDArray[Any]
    origin: str


def brought(given: dict[Part, Arrays], names_file: Path, sizing: Sizing) -> BroughtData:
    """Labelled images of these arrays; classes have the names in `names_file`, if it is there.

    Raises UnusableInputError for what is no image or no label.
    """
    notes: list[str] = []
    images = pixels({part: (channels_last(each), each.origin) for part, each in given.items()}, notes)
    frame = sizing.frame
    if not frame and any(max(array.shape[1:3]) > MAX_SIDE for array in images.values()):
        frame = sizing.choose([array.shape[1:3] for array in images.values()], notes)
    if frame:
        images = {part: all_to_fit(array, frame) for part, array in images.items()}
    images = {part: made_colour(array, sizing.colour) for part, array in images.items()}
    labels = {part: class_labels(each.labels, len(each.images), each.origin, notes) for part, each in given.items()}
    classes = find_classes(labels, read_names(names_file), given["train"].origin, notes)
    parts = {part: Labelled(images[part], classes.places[part], each.origin) for part, each in given.items()}
    return BroughtData(classes.names, parts, classes.numbers, tuple(dict.fromkeys(notes)))


def channels_last(given: Arrays) -> NDArray[Any]:
    """(n, height, width) or (n, height, width, 3), of these or of (n, channels, height, width)."""
    images = given.images
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[-1] not in (1, 3):
        images = np.moveaxis(images, 1, -1)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)):
        raise UnusableInputError(
            f"{given.origin} has the shape {images.shape}: give (images, height, width) or (images, height, width, 3)"
        )
    return images


def pixels(images: dict[Part, tuple[NDArray[Any], str]], notes: list[str]) -> dict[Part, NDArray[np.uint8]]:
    """As uint8: whole numbers of 0 to 255 as they are; where all of all parts are in 0 … 1, 255 times as much."""
    for array, origin in images.values():
        if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
            raise UnusableInputError(f"{origin} must be pixels, and so numbers, but they are {array.dtype}")
    highest = max(array.max(initial=0) for array, _ in images.values())
    lowest = min(array.min(initial=0) for array, _ in images.values())
    if lowest >= 0 and 0 < highest <= 1:
        notes.append("All pixels are in 0 … 1: they were multiplied by 255, and rounded.")
        return {part: np.round(array * np.float32(255)).astype(np.uint8) for part, (array, _) in images.items()}
    return {part: _whole(array, origin) for part, (array, origin) in images.items()}


def _whole(images: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    if images.dtype == np.uint8:
        return images
    in_range = bool(images.min(initial=0) >= 0 and images.max(initial=0) <= 255)  # False if one of them is NaN
    if not in_range or not np.array_equal(whole := images.astype(np.uint8), images):
        raise UnusableInputError(
            f"{origin} must be pixels of 0 to 255 in whole numbers, or all in 0 to 1: scale, round, and save as uint8"
        )
    return whole
