"""Data of one's own, read from where it lies: IDX files, an .npz in Keras' layout, or a folder of class folders.

All readers give the same: uint8 images, labels as indices of the class names. What can't be used is refused with an
UnusableInputError.
"""

import hashlib
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.dataset import UnusableInputError
from tasks.experiment.idx import MAX_BYTES, read_idx

NAMES_FILE = "classes.txt"
PICTURES = {".png", ".jpg", ".jpeg"}
GREY_MODES, COLOUR_MODES = {"1", "L", "LA"}, {"P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
MAX_SIDE = 256
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
    files = [path, _names_beside(path)] if path.is_file() else _visible_files(path)
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
    split = (path / "train").is_dir()
    train_folder, test_folder = (path / "train", path / "test") if split else (path, path)
    classes = _class_folders(train_folder)
    if split and test_folder.is_dir() and (unseen := [c for c in _class_folders(test_folder) if c not in classes]):
        raise UnusableInputError(f"{test_folder} has classes that {train_folder} does not have: {', '.join(unseen)}")
    if not classes:
        raise UnusableInputError(f"dataset {path} holds no class folders: {LAYOUTS}")
    files = {"train": _pictures(train_folder, classes)}
    if split and test_folder.is_dir():
        files["test"] = _pictures(test_folder, classes)
    images = _read_pictures([file for part in files.values() for file, _ in part])
    cut, labels = len(files["train"]), [label for part in files.values() for _, label in part]
    train = Labelled(images[:cut], np.array(labels[:cut], np.int64), str(train_folder))
    test = Labelled(images[cut:], np.array(labels[cut:], np.int64), str(test_folder)) if "test" in files else None
    return OwnData(tuple(classes), train, test)


def _class_folders(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _visible_files(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return sorted(file for file in files if not any(p.startswith(".") for p in file.relative_to(folder).parts))


def _pictures(folder: Path, classes: list[str]) -> list[tuple[Path, int]]:
    """(file, class number) of all images below the class folders, in order."""
    found = []
    for number, name in enumerate(classes):
        files = [file for file in _visible_files(folder / name) if file.suffix.lower() in PICTURES]
        found += [(file, number) for file in files]
    return found


def _read_pictures(files: list[Path]) -> NDArray[np.uint8]:
    """All images in one array: grey if all are, else RGB (transparency is dropped)."""
    read: list[NDArray[np.uint8]] = []
    for file in files:
        read.append(read_picture(file))
        (height, width), (first_height, first_width) = read[-1].shape[:2], read[0].shape[:2]
        if max(height, width) > MAX_SIDE:
            raise UnusableInputError(f"{file} has {width} × {height} pixels; the limit is {MAX_SIDE} × {MAX_SIDE}")
        if (height, width) != (first_height, first_width):
            raise UnusableInputError(
                f"images must have one size, but {files[0]} has {first_width} × {first_height} pixels and "
                f"{file} has {width} × {height}: resize them"
            )
        if 3 * height * width * len(read) > MAX_BYTES:
            raise UnusableInputError(f"the images come to more than {MAX_BYTES >> 30} GiB, the limit")
    if any(image.ndim == 3 for image in read):
        read = [image if image.ndim == 3 else np.stack([image] * 3, axis=-1) for image in read]
    return np.stack(read) if read else np.zeros((0, 1, 1), np.uint8)


def read_picture(file: Path) -> NDArray[np.uint8]:
    """An image file, upright: uint8, (height, width) if it is grey, else (height, width, 3)."""
    from PIL import Image, ImageOps

    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(file) as image,
        ):
            if image.mode not in GREY_MODES | COLOUR_MODES:
                raise UnusableInputError(f"{file} has pixels of the kind {image.mode}: convert it to 8 bits a channel")
            upright = ImageOps.exif_transpose(image)
            return np.asarray(upright.convert("L" if image.mode in GREY_MODES else "RGB"))
    except UnusableInputError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableInputError(f"{file} is not a whole PNG or JPEG image: {error}") from error
