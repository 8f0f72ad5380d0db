"""A folder of IDX files, named as MNIST and its relatives name them."""

import re
import zlib
from pathlib import Path

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats.arrays.arrays import Arrays, brought
from tasks.experiment.data.formats.arrays.idx import read_idx
from tasks.experiment.data.formats.arrays.labels import NAMES_FILE
from tasks.experiment.data.formats.files import regular, visible
from tasks.experiment.data.formats.labelled import MAX_BYTES, BroughtData
from tasks.experiment.data.formats.parts import PARTS, WORDS, Part
from tasks.experiment.errors import UnusableInputError

LAYOUT = "a folder with IDX files (train-images-idx3-ubyte, …)"


def recognizes(path: Path) -> bool:
    return path.is_dir() and _find(path, "train", "images") is not None


def read(path: Path, sizing: Sizing) -> BroughtData:
    given: dict[Part, Arrays] = {}
    for part in PARTS:
        images, labels = (_find(path, part, what) for what in ("images", "labels"))
        if bool(images) != bool(labels):
            raise UnusableInputError(f"{path} has IDX files of images or of labels for {part}, but not both")
        if images and labels:
            regular(images, path), regular(labels, path)
            try:
                given[part] = Arrays(read_idx(images, MAX_BYTES), read_idx(labels, MAX_BYTES), str(images))
            except (ValueError, OSError, EOFError, zlib.error) as error:
                raise UnusableInputError(f"{path}: an IDX file can't be read: {error}") from error
    return brought(given, path / NAMES_FILE, sizing)


def _find(folder: Path, part: Part, what: str) -> Path | None:
    """For example `train-images-idx3-ubyte` or `emnist-letters-test-labels-idx1-ubyte.gz`."""
    words = "|".join(word for word, meant in WORDS.items() if meant == part)
    name = re.compile(rf"(.*[^a-z])?({words})-{what}.idx.*", re.IGNORECASE)
    return next((file for file in visible(folder) if name.fullmatch(file.name)), None)
