"""An .npz file with arrays named as by Keras (x_train, y_train) or MedMNIST (train_images, train_labels)."""

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats.arrays.arrays import Arrays, brought
from tasks.experiment.data.formats.arrays.labels import names_beside
from tasks.experiment.data.formats.labelled import MAX_BYTES, BroughtData, some
from tasks.experiment.data.formats.parts import PARTS, Part, part_of
from tasks.experiment.errors import UnusableInputError

LAYOUT = "an .npz file with x_train, y_train (and x_val, y_val, x_test, y_test)"
Kind = Literal["images", "labels"]
KINDS: dict[str, Kind] = {
    "x": "images", "image": "images", "images": "images",
    "y": "labels", "label": "labels", "labels": "labels",
}  # fmt: skip


def recognizes(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() == ".npz"


def read(path: Path, sizing: Sizing) -> BroughtData:
    names, arrays = _load(path)
    given: dict[Part, Arrays] = {}
    notes: list[str] = []
    for part in PARTS:
        found = {kind: arrays[part, kind] for kind in ("images", "labels") if (part, kind) in arrays}
        if len(found) == 2:
            given[part] = Arrays(found["images"][1], found["labels"][1], f"{found['images'][0]} of {path}")
        elif "images" in found and part != "train":
            notes.append(f"The images of {found['images'][0]} have no labels: they were not used.")
        elif found or part == "train":
            wanted = " and ".join(f"{kind}_{'val' if part == 'validation' else part}" for kind in "xy")
            raise UnusableInputError(f"{path} must hold {wanted}; it holds {some(names) or 'nothing'}")
    data = brought(given, names_beside(path), sizing)
    return replace(data, notes=(*data.notes, *notes))


def role(name: str) -> tuple[Part, Kind] | None:
    """What an array of that name holds: each word of "X_val" or "val_images" counts; without a part it is "train"."""
    words = re.findall("[a-z0-9]+", name.lower())
    kinds = [KINDS[word] for word in words if word in KINDS]
    parts = [part for word in words if (part := part_of(word))]
    known = len(words) == len(kinds) + len(parts) and len(kinds) == 1 and len(parts) <= 1
    return ((parts or ["train"])[0], kinds[0]) if known else None


def _load(path: Path) -> tuple[list[str], dict[tuple[Part, Kind], tuple[str, NDArray[Any]]]]:
    """The names of all arrays, and those with a role, by it: (name, array)."""
    arrays: dict[tuple[Part, Kind], tuple[str, NDArray[Any]]] = {}
    try:
        with zipfile.ZipFile(path) as members:
            if sum(member.file_size for member in members.infolist()) > MAX_BYTES:
                raise UnusableInputError(f"{path} holds more than {MAX_BYTES >> 30} GiB, the limit")
        with np.load(path, allow_pickle=False) as stored:
            for name in stored.files:
                if its := role(name):
                    if its in arrays:
                        raise UnusableInputError(
                            f"{path} holds {arrays[its][0]} and {name}, which mean the same: keep one"
                        )
                    arrays[its] = name, stored[name]
            return stored.files, arrays
    except UnusableInputError:
        raise
    except Exception as error:
        # Zip files and arrays have many ways to be damaged: encrypted, packed by an unknown method, with a shape for
        # which there is no memory. Each of them means that the file can't be used.
        if "pickle" in str(error):
            raise UnusableInputError(
                f"{path} holds arrays of Python objects, which could run code when they are read: "
                "save images as uint8 and labels as integers or fixed-length text"
            ) from error
        raise UnusableInputError(f"{path} is not a whole .npz file: {error}") from error
