"""A folder of image files, one subfolder per class, read by Pillow."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.formats.files import regular, visible_files
from tasks.experiment.data.formats.labelled import MAX_BYTES, MAX_SIDE, BroughtData, Labelled
from tasks.experiment.errors import UnusableInputError

LAYOUT = "a folder with one subfolder of PNG or JPEG images per class, directly or below train/ and test/"
SUFFIXES = {".png", ".jpg", ".jpeg"}
FORMATS = ("PNG", "JPEG")  # whatever a file is named: Pillow knows formats that start other programs
GREY_MODES, COLOUR_MODES = {"1", "L", "LA"}, {"P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}


def recognizes(path: Path) -> bool:
    return path.is_dir() and bool(_class_folders(_groups(path)["train"]))


def read(path: Path) -> BroughtData:
    groups = _groups(path)
    classes = _class_folders(groups["train"])
    if unseen := [name for folder in groups.values() for name in _class_folders(folder) if name not in classes]:
        raise UnusableInputError(
            f"{groups['test']} has classes that {groups['train']} does not have: {', '.join(unseen)}"
        )
    files = [(group, file, label) for group in groups for file, label in _image_files(groups[group], classes, path)]
    images, labels = read_images([file for _, file, _ in files]), np.array([label for _, _, label in files], np.int64)
    belongs = np.array([group for group, _, _ in files])
    found = {
        group: Labelled(images[belongs == group], labels[belongs == group], str(folder))
        for group, folder in groups.items()
    }
    return BroughtData(tuple(classes), found["train"], found.get("test"))


def read_images(files: list[Path]) -> NDArray[np.uint8]:
    """All images in one array: grey if all are, else RGB (transparency is dropped)."""
    read: list[NDArray[np.uint8]] = []
    for file in files:
        read.append(read_image(file))
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


def read_image(file: Path) -> NDArray[np.uint8]:
    """An image file, upright: uint8, (height, width) if it is grey, else (height, width, 3)."""
    from PIL import Image, ImageOps

    regular(file)
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(file, formats=FORMATS) as image,
        ):
            if image.mode not in GREY_MODES | COLOUR_MODES:
                raise UnusableInputError(f"{file} has pixels of the kind {image.mode}: convert it to 8 bits a channel")
            upright = ImageOps.exif_transpose(image)
            return np.asarray(upright.convert("L" if image.mode in GREY_MODES else "RGB"))
    except UnusableInputError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableInputError(f"{file} is not a whole PNG or JPEG image: {error}") from error


def _groups(path: Path) -> dict[str, Path]:
    """The folders of class folders: "train", and "test" if there is one."""
    if not (path / "train").is_dir():
        return {"train": path}
    return {group: path / group for group in ("train", "test") if (path / group).is_dir()}


def _class_folders(folder: Path) -> list[str]:
    """The names of the classes."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _image_files(folder: Path, classes: list[str], root: Path) -> list[tuple[Path, int]]:
    """(file, class number) of all images below the class folders, in order; none outside of `root`."""
    found = []
    for number, name in enumerate(classes):
        # A class without a folder has no images in this group.
        files = visible_files(folder / name, root) if (folder / name).is_dir() else ()
        found += [(file, number) for file in files if file.suffix.lower() in SUFFIXES]
    return found
