"""An .npz file in Keras' layout: x_train, y_train, and perhaps x_test, y_test."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.formats.labelled import MAX_BYTES, BroughtData, class_names, labelled, names_beside
from tasks.experiment.errors import UnusableInputError

LAYOUT = "an .npz file with x_train, y_train (and x_test, y_test)"


def recognizes(path: Path) -> bool:
    return path.is_file() and path.suffix == ".npz"


def read(path: Path) -> BroughtData:
    arrays = _load(path)
    for group in ("train", "test"):
        found = {f"x_{group}", f"y_{group}"} & arrays.keys()
        if len(found) == 1 or (group == "train" and not found):
            raise UnusableInputError(
                f"{path} must hold x_{group} and y_{group}; it holds {', '.join(arrays) or 'none'}"
            )
    train = labelled(arrays["x_train"], arrays["y_train"], f"x_train of {path}")
    test = labelled(arrays["x_test"], arrays["y_test"], f"x_test of {path}") if "x_test" in arrays else None
    return BroughtData(class_names(names_beside(path), train, test), train, test)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as members:
            if sum(member.file_size for member in members.infolist()) > MAX_BYTES:
                raise UnusableInputError(f"{path} holds more than {MAX_BYTES >> 30} GiB, the limit")
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in ("x_train", "y_train", "x_test", "y_test") if name in stored}
    except UnusableInputError:
        raise
    except Exception as error:
        # Zip files and arrays have many ways to be damaged: encrypted, packed by an unknown method, with a shape for
        # which there is no memory. Each of them means that the file can't be used.
        if "pickle" in str(error):
            raise UnusableInputError(
                f"{path} holds arrays of Python objects, which could run code when they are read: "
                "save images as uint8 and labels as integers"
            ) from error
        raise UnusableInputError(f"{path} is not a whole .npz file: {error}") from error
