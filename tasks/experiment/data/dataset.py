"""A data set as every stage sees it: labelled images in two parts, with names for the classes."""

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.experiment.data.formats.idx import read_idx
from tasks.storage.artifacts import Artifact
from tasks.storage.roots import data_root

Part = Literal["train", "test"]
RAW_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


class DataSet(BaseModel):
    """The handle of a verified data set: IDX files under data/raw, or arrays in the store.

    image_shape: (height, width), or (height, width, 3) in colour. validation_images: so many training images, the last
    ones, are for validation. notes: what its user should know about it, a sentence each.
    raw: file name → sha256 of its content.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    classes: tuple[str, ...]
    image_shape: tuple[int, ...]
    validation_images: int
    notes: tuple[str, ...] = ()
    raw: dict[str, str] = {}
    arrays: Artifact | None = None

    def images(self, part: Part) -> NDArray[np.uint8]:
        """uint8, shape (images, *image_shape)."""
        return self._read(f"{part}_images")

    def labels(self, part: Part) -> NDArray[Any]:
        """Class numbers: integers, shape (images,)."""
        return self._read(f"{part}_labels")

    def names(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(self.classes[number] for number in numbers)

    def _read(self, name: str) -> NDArray[Any]:
        if self.arrays:
            return np.load(self.arrays.folder() / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return read_idx(data_root() / "raw" / RAW_FILES[name])

    def is_intact(self) -> bool:
        if self.arrays:
            return self.arrays.is_intact()
        return all(_sha256(data_root() / "raw" / name) == expected for name, expected in self.raw.items())


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
