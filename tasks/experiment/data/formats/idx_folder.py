"""A folder of IDX files, named as MNIST and its relatives name them."""

import zlib
from pathlib import Path

from tasks.experiment.data.formats.files import regular
from tasks.experiment.data.formats.idx import read_idx
from tasks.experiment.data.formats.labelled import MAX_BYTES, NAMES_FILE, BroughtData, class_names, labelled
from tasks.experiment.errors import UnusableInputError

LAYOUT = "a folder with IDX files (train-images-idx3-ubyte, …)"


def recognizes(path: Path) -> bool:
    return path.is_dir() and _find(path, "train", "images") is not None


def read(path: Path) -> BroughtData:
    groups = {}
    for group in ("train", "test"):
        images, labels = (_find(path, group, what) for what in ("images", "labels"))
        if bool(images) != bool(labels):
            raise UnusableInputError(f"{path} has IDX files of images or of labels for {group}, but not both")
        if images and labels:
            regular(images, path), regular(labels, path)
            try:
                arrays = read_idx(images, MAX_BYTES), read_idx(labels, MAX_BYTES)
            except (ValueError, OSError, EOFError, zlib.error) as error:
                raise UnusableInputError(f"{path}: an IDX file can't be read: {error}") from error
            groups[group] = labelled(*arrays, origin=str(images))
    train, test = groups["train"], groups.get("test")
    return BroughtData(class_names(path / NAMES_FILE, train, test), train, test)


def _find(folder: Path, group: str, what: str) -> Path | None:
    """For example `train-images-idx3-ubyte` or `emnist-letters-test-labels-idx1-ubyte.gz`."""
    names = ("train",) if group == "train" else ("t10k", "test")
    found = [file for name in names for file in sorted(folder.glob(f"*{name}-{what}?idx*"))]
    return found[0] if found else None
