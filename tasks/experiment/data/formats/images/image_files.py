"""Image files, read by Pillow."""

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.fitting import Frame, Sizing, made_colour, made_to_fit
from tasks.experiment.data.formats.files import regular
from tasks.experiment.data.formats.labelled import MAX_BYTES, MAX_SIDE
from tasks.experiment.errors import UnusableInputError

# Whatever a file is named: Pillow knows more formats, of which some start other programs, and some have no mark.
FORMATS = {
    "PNG": (".png", ".apng"), "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"), "GIF": (".gif",), "TIFF": (".tif", ".tiff"), "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "JPEG2000": (".jp2", ".j2k", ".jpx"), "AVIF": (".avif",),
}  # fmt: skip
SUFFIXES = {suffix for suffixes in FORMATS.values() for suffix in suffixes}
ORIENTATION, FIRST_TURNED = 0x0112, 5  # the EXIF tag; from this value on, height and width change places
NO_GREY = {"WEBP", "GIF"}  # formats that save a grey image as one in colours
GREY_MODES, COLOUR_MODES = {"1", "L", "LA"}, {"P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}


class ImageFile(NamedTuple):
    """pixels: uint8, (height, width) if it is grey, else (height, width, 3). pictures: how many the file holds.

    found_grey: of a format that has no grey images, but all of its colours are grey.
    """

    pixels: NDArray[np.uint8]
    pictures: int
    found_grey: bool = False


class ImageBytes(NamedTuple):
    """An image file's content, where it is no file. name: for messages."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name


def is_image(file: Path) -> bool:
    """Whether its name is that of an image."""
    return file.suffix.lower() in SUFFIXES


def read_image(file: Path | ImageBytes) -> ImageFile:
    """The (first) picture of an image file, upright. Raises UnusableInputError if it can't be read."""
    from PIL import ImageOps

    with _opened(file) as image:
        if image.mode not in GREY_MODES | COLOUR_MODES:
            raise UnusableInputError(f"{file} has pixels of the kind {image.mode}: convert it to 8 bits a channel")
        pictures = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # a phone's holds previews
        upright = ImageOps.exif_transpose(image)
        pixels = np.asarray(upright.convert("L" if image.mode in GREY_MODES else "RGB"))
        if image.format in NO_GREY and pixels.ndim == 3 and np.all(pixels == pixels[..., :1]):
            return ImageFile(pixels[..., 0], pictures, found_grey=True)
        return ImageFile(pixels, pictures)


def image_size(file: Path | ImageBytes) -> tuple[int, int]:
    """(height, width) of an image file, upright, without reading its pixels. Raises UnusableInputError likewise."""
    with _opened(file) as image:
        width, height = image.size
        return (width, height) if image.getexif().get(ORIENTATION, 1) >= FIRST_TURNED else (height, width)


@contextmanager
def _opened(file: Path | ImageBytes) -> Iterator[Any]:
    from PIL import Image

    source = regular(file) if isinstance(file, Path) else io.BytesIO(file.content)
    Image.init()
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(source, formats=[name for name in FORMATS if name in Image.OPEN]) as image,
        ):
            yield image
    except UnusableInputError:
        raise
    except Exception as error:
        # Each of Pillow's formats has ways of its own to fail; each of them means that the file can't be used.
        reason = str(error).removesuffix(f" {source!r}")
        raise UnusableInputError(f"{file} is not a whole image of a kind that can be read: {reason}") from error


def read_images(files: Iterable[Path | ImageBytes], sizing: Sizing) -> tuple[NDArray[np.uint8], list[str]]:
    """(all images in one array, grey if all are, else RGB without transparency; notes on what was changed or not used).

    Without a wanted size they stay as they are if all have one size and no side is longer than MAX_SIDE. (`files` is
    gone through up to three times: images are as large as memory allows, their sizes are known when all were opened.)
    """
    notes: list[str] = []
    try:
        return made_colour(_read_images(files, sizing.frame, notes), sizing.colour), notes
    except _OtherSizeError:
        frame = sizing.choose([image_size(file) for file in files], notes)
        return made_colour(_read_images(files, frame, notes), sizing.colour), notes


class _OtherSizeError(ValueError):
    """Without a frame: an image is too large, or its size is not that of the first one."""


def _read_images(files: Iterable[Path | ImageBytes], frame: Frame | None, notes: list[str]) -> NDArray[np.uint8]:
    read: list[NDArray[np.uint8]] = []
    several, found_grey = [], 0
    for file in files:
        image = read_image(file)
        read.append(made_to_fit(image.pixels, frame) if frame else image.pixels)
        several += [Path(str(file)).name] if image.pictures > 1 else []
        found_grey += image.found_grey
        height, width = read[-1].shape[:2]
        if (height, width) != read[0].shape[:2] or max(height, width) > MAX_SIDE:
            raise _OtherSizeError
        if 3 * height * width * len(read) > MAX_BYTES:
            raise UnusableInputError(f"the images come to more than {MAX_BYTES >> 30} GiB, the limit")
    if any(image.ndim == 3 for image in read):
        read = [image if image.ndim == 3 else np.stack([image] * 3, axis=-1) for image in read]
    elif found_grey:
        notes.append(f"{found_grey:,} WebP or GIF, which have no grey images, hold nothing but grey: read as grey.")
    if several:
        count = f"{len(several):,} file{'' if len(several) == 1 else 's'}"
        notes.append(f"{count} with several pictures, such as {several[0]}: the first of each was used.")
    return np.stack(read) if read else np.zeros((0, 1, 1), np.uint8)
