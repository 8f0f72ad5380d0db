"""Data of one's own, read from where it lies: IDX files, an .npz in Keras' layout, or a folder of class folders.

All readers give the same: uint8 images, labels as indices of the class names. What can't be used is refused with an
UnusableInputError.
"""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.formats.idx import MAX_BYTES, read_idx
from tasks.experiment.data.formats.image_folder import class_folders, pictures, read_pictures, visible_files
from tasks.experiment.errors import UnusableInputError

NAMES_FILE = "classes.txt"
MAX_CLASSES = 1_000
LAYOUTS = (
    "give a folder with IDX files (train-images-idx3-ubyte, …), an .npz file with x_train, y_train (and x_test, "
    "y_test), or a folder with a folder of PNG or JPEG images for each class, directly or below train/ and test/"
)


@dataclass(frozen=True)
class Labelled:
    """images: uint8, (n, height, width) or (n, height, width, 3); labels: int64, (n,); origin: for messages."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    origin: str

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: NDArray[Any]) -> "Labelled":
        return Labelled(self.images[rows], self.labels[rows], self.origin)


@dataclass(frozen=True)
class OwnData:
    """What was read. test: None if there was none."""

    classes: tuple[str, ...]
    train: Labelled
    test: Labelled | None


def fingerprint(path: Path) -> str:
    """sha256 over names and contents of all files that belong to the data at `path`."""
    files = [path, _names_beside(path)] if path.is_file() else visible_files(path)
    digest = hashlib.sha256()
    try:
        for file in files:
            if file.is_file():
                with file.open("rb") as stream:
                    content = hashlib.file_digest(stream, "sha256").hexdigest()
                digest.update(f"{file.relative_to(path.parent)} {content}\n".encode())
    except OSError as error:
        raise UnusableInputError(f"{error.filename} can't be read: {error.strerror}") from error
    return digest.hexdigest()


def read_own_data(path: Path) -> OwnData:
    """Read whatever of the three layouts is at `path`."""
    if path.is_file() and path.suffix == ".npz":
        data = _read_npz(path)
    elif path.is_dir() and _find_idx(path, "train", "images"):
        data = _read_idx_folder(path)
    elif path.is_dir():
        data = _read_class_folders(path)
    else:
        what = "is not a kind of data that can be read" if path.exists() else "does not exist"
        raise UnusableInputError(f"dataset {path} {what}: {LAYOUTS}")
    return data


def _read_npz(path: Path) -> OwnData:
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(path) as members:
            if sum(member.file_size for member in members.infolist()) > MAX_BYTES:
                raise UnusableInputError(f"{path} holds more than {MAX_BYTES >> 30} GiB, the limit")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in ("x_train", "y_train", "x_test", "y_test") if name in stored}
    except ValueError as error:
        if "pickle" not in str(error):
            raise UnusableInputError(f"{path} is damaged: {error}") from error
        raise UnusableInputError(
            f"{path} holds arrays of Python objects, which could run code when they are read: "
            "save images as uint8 and labels as integers"
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UnusableInputError(f"{path} is not a whole .npz file: {error}") from error
    for part in ("train", "test"):
        given = {f"x_{part}", f"y_{part}"} & arrays.keys()
        if len(given) == 1 or (part == "train" and not given):
            raise UnusableInputError(f"{path} must hold x_{part} and y_{part}; it holds {', '.join(arrays) or 'none'}")
    train, test = (
        _labelled(arrays[f"x_{part}"], arrays[f"y_{part}"], f"x_{part} of {path}") if f"x_{part}" in arrays else None
        for part in ("train", "test")
    )
    assert train
    return OwnData(_class_names(_names_beside(path), train, test), train, test)


def _read_idx_folder(folder: Path) -> OwnData:
    parts = {}
    for part in ("train", "test"):
        images, labels = (_find_idx(folder, part, what) for what in ("images", "labels"))
        if bool(images) != bool(labels):
            raise UnusableInputError(f"{folder} has IDX files of images or of labels for {part}, but not both")
        if images and labels:
            try:
                parts[part] = _labelled(read_idx(images), read_idx(labels), str(images))
            except (ValueError, OSError, EOFError, zlib.error) as error:
                if isinstance(error, UnusableInputError):
                    raise
                raise UnusableInputError(f"{folder}: an IDX file can't be read: {error}") from error
    return OwnData(
        _class_names(folder / NAMES_FILE, parts["train"], parts.get("test")), parts["train"], parts.get("test")
    )


def _find_idx(folder: Path, part: str, what: str) -> Path | None:
    """As MNIST and its relatives name them: `train-images-idx3-ubyte`, `emnist-letters-test-labels-idx1-ubyte.gz`."""
    names = ("train",) if part == "train" else ("t10k", "test")
    found = [file for name in names for file in sorted(folder.glob(f"*{name}-{what}?idx*"))]
    return found[0] if found else None


def _labelled(images: NDArray[Any], labels: NDArray[Any], origin: str) -> Labelled:
    """Checked: whole pixels of 0–255 in a shape that is known, and a class number for each."""
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)):
        raise UnusableInputError(
            f"{origin} has the shape {images.shape}: give (images, height, width) or (images, height, width, 3)"
        )
    if labels.ndim == 2 and labels.shape[-1] == 1:
        labels = labels[:, 0]
    if labels.shape != images.shape[:1]:
        raise UnusableInputError(
            f"{origin} has {len(images)} images, but labels of shape {labels.shape}: give a class number an image"
        )
    if images.dtype != np.uint8:
        whole = np.issubdtype(images.dtype, np.number) and np.array_equal(images, np.clip(np.round(images), 0, 255))
        if not whole or np.iscomplexobj(images):
            raise UnusableInputError(
                f"{origin} must be pixels of 0 to 255 in whole numbers: scale, round, and save them as uint8"
            )
        images = images.astype(np.uint8)
    if not np.issubdtype(labels.dtype, np.integer) or np.any(labels < 0):
        raise UnusableInputError(f"the labels of {origin} must be whole numbers from 0: 0 is the first class")
    return Labelled(images, labels.astype(np.int64), origin)


def _names_beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.{NAMES_FILE}")


def _class_names(file: Path, train: Labelled, test: Labelled | None) -> tuple[str, ...]:
    """A name a line, class 0 first; without that file the numbers are the names."""
    highest = max(int(part.labels.max(initial=0)) for part in (train, test) if part)
    if not file.exists():
        if highest >= MAX_CLASSES:
            raise UnusableInputError(
                f"{train.origin} has the label {highest}; the limit is {MAX_CLASSES:,} classes, numbered from 0"
            )
        return tuple(str(number) for number in range(highest + 1))
    try:
        names = tuple(line.strip() for line in file.read_text("utf-8-sig").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{file} can't be read as UTF-8 text: {error}") from error
    if highest >= len(names):
        raise UnusableInputError(
            f"{train.origin} or its test images have the label {highest}, but {file} names {len(names)} classes, "
            f"0 to {len(names) - 1}"
        )
    return names


def _read_class_folders(path: Path) -> OwnData:
    folders = {"train": path / "train", "test": path / "test"} if (path / "train").is_dir() else {"train": path}
    folders = {part: folder for part, folder in folders.items() if folder.is_dir()}
    classes = class_folders(folders["train"])
    if not classes:
        raise UnusableInputError(f"dataset {path} holds no class folders: {LAYOUTS}")
    if unseen := [name for folder in folders.values() for name in class_folders(folder) if name not in classes]:
        raise UnusableInputError(
            f"{folders['test']} has classes that {folders['train']} does not have: {', '.join(unseen)}"
        )
    files = [(part, file, label) for part in folders for file, label in pictures(folders[part], classes)]
    images, labels = read_pictures([file for _, file, _ in files]), np.array([label for _, _, label in files], np.int64)
    belongs = np.array([part for part, _, _ in files])
    parts = {
        part: Labelled(images[belongs == part], labels[belongs == part], str(folder))
        for part, folder in folders.items()
    }
    return OwnData(tuple(classes), parts["train"], parts.get("test"))
