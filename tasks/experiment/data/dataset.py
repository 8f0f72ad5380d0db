"""A data set as every stage sees it: labelled images, with names for the classes."""

import hashlib
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.experiment.data.class_names import class_numbers
from tasks.experiment.data.formats.arrays.idx import read_idx
from tasks.storage.artifacts import Artifact, Handle
from tasks.storage.roots import data_root

Group = Literal["train", "test"]  # of images that are stored together: "train" ends with those for validation
InOrder = TypeVar("InOrder", NDArray[Any], range)
FILE_NAMES = "train_files"
RAW_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


class KnownFile(NamedTuple):
    """sha256 and size in bytes of a file's content."""

    sha256: str
    size: int

    def is_at(self, path: Path) -> bool:
        """Whether this is the file at `path`; of one of another size nothing is read."""
        try:
            if path.stat().st_size != self.size:
                return False
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256
        except OSError:
            return False

    def has(self, content: bytes) -> bool:
        """Whether this is the file's content."""
        return len(content) == self.size and hashlib.sha256(content).hexdigest() == self.sha256


class DataSet(Handle):
    """The handle of a verified data set: IDX files under data/raw, or arrays in the store.

    image_shape: (height, width), or (height, width, 3) in colour. validation_images: how many of the training images,
    the last ones, are for validation. notes: what its user should know about it, one sentence each.
    raw: the IDX files by name. numbers: those that the classes have in the data; empty: they count from 0.
    """

    classes: tuple[str, ...]
    image_shape: tuple[int, ...]
    validation_images: int
    notes: tuple[str, ...] = ()
    raw: dict[str, KnownFile] = Field(default_factory=dict)
    arrays: Artifact | None = None
    numbers: tuple[int, ...] = ()

    def images(self, group: Group) -> NDArray[np.uint8]:
        """uint8, shape (images, *image_shape)."""
        return self._read(f"{group}_images")

    def labels(self, group: Group) -> NDArray[Any]:
        """Class numbers: integers, shape (images,)."""
        return self._read(f"{group}_labels")

    def file_names(self) -> list[str]:
        """Of the files that the training images came in, in the data's folder; empty if that is not known."""
        names = self.arrays and self.arrays.folder() / f"{FILE_NAMES}.npy"
        return np.load(names, allow_pickle=False).tolist() if names and names.exists() else []

    def training_and_validation(self, train: InOrder) -> tuple[InOrder, InOrder]:
        """Cut in two what is in the order of the images of "train": their labels, say, or their row numbers."""
        cut = len(train) - self.validation_images
        return train[:cut], train[cut:]

    def class_numbers(self, given: tuple[int | str, ...]) -> tuple[int, ...]:
        """The places in `classes` of those given by name or number. Raises UnusableInputError for an unknown one."""
        return class_numbers(given, self.classes, self.numbers)

    def names(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        """The names of the classes at these places."""
        return tuple(self.classes[number] for number in numbers)

    def is_intact(self) -> bool:
        """Whether all files are there and undamaged."""
        raw = data_root() / "raw"
        return super().is_intact() and all(known.is_at(raw / name) for name, known in self.raw.items())

    def _read(self, name: str) -> NDArray[Any]:
        if self.arrays:
            return np.load(self.arrays.folder() / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return read_idx(data_root() / "raw" / RAW_FILES[name])
