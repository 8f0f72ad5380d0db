"""Copies of labelled images whose labels are the same: shifted by a little, or seen in a mirror."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Augmentation = Literal["none", "shifts", "flips", "shifts-and-flips"]
SHARE = 14  # of its side an image is shifted by: 2 pixels of 28


def with_copies(images: NDArray[np.uint8], augmentation: Augmentation) -> NDArray[np.uint8]:
    """The images, and after them a copy of all of them for each change, (changes × n, *shape of one)."""
    return np.concatenate([images, *_copies(images, augmentation)])


def of_copies(rows: NDArray[np.intp], images: int, changes: int) -> NDArray[np.intp]:
    """The places of these images and of their copies, where there are so many images, and of each so many."""
    return np.concatenate([rows + change * images for change in range(changes)])


def _copies(images: NDArray[np.uint8], augmentation: Augmentation) -> Iterator[NDArray[np.uint8]]:
    if augmentation in ("flips", "shifts-and-flips"):
        yield images[:, :, ::-1]
    if augmentation in ("shifts", "shifts-and-flips"):
        for axis in (1, 2):
            for sign in (-1, 1):
                yield _shifted(images, axis, sign * max(1, images.shape[axis] // SHARE))


def _shifted(images: NDArray[np.uint8], axis: int, by: int) -> NDArray[np.uint8]:
    """By so many pixels; what comes in is the edge again."""
    side = images.shape[axis]
    return images.take(np.clip(np.arange(side) - by, 0, side - 1), axis)
