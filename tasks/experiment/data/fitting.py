"""Images of other sizes made to fit: resized by Pillow, which takes the mean of what becomes one pixel."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.storage.artifacts import Handle

Fit = Literal["stretch", "crop", "pad"]
LUMA = np.array([19595, 38470, 7471])  # red, green and blue in grey, as Pillow has it: of 1 << 16
LONGEST = 128  # pixels, of a size that is chosen here


class Sizing(Handle):
    """What size is wanted, and how others are made to fit; and whether colour is.

    size: (height, width), or None: whatever suits the images. colour: None: as the images are.
    """

    size: tuple[int, int] | None = None
    fit: Fit = "stretch"
    colour: bool | None = None

    @property
    def frame(self) -> "Frame | None":
        return Frame(*self.size, self.fit) if self.size else None

    def choose(self, sizes: Sequence[tuple[int, int]], notes: list[str]) -> "Frame":
        """The frame for images of these sizes, (height, width), which can't stay as they are; a note says so."""
        frame = Frame(*chosen_size(sizes), self.fit)
        (low, narrow), (high, wide) = (tuple(ends(sides) for sides in zip(*sizes, strict=True)) for ends in (min, max))
        were = f"{narrow} × {low}" + (f" to {wide} × {high}" if (low, narrow) != (high, wide) else "")
        notes.append(
            f"Images of {were} pixels (width × height) were made {frame.width} × {frame.height} by image_fit "
            f"{self.fit}: set image_size for another size."
        )
        return frame


class Frame(NamedTuple):
    """The size that images are made, in pixels, and how: see `made_to_fit`."""

    height: int
    width: int
    fit: Fit


def made_to_fit(image: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """An image, (height, width) or (height, width, 3), in the frame's size.

    stretch: whatever becomes of its proportions; crop: as much of its middle as has the frame's proportions; pad: all
    of it, with black beside it.
    """
    from PIL import Image

    if image.shape[:2] == (frame.height, frame.width):
        return image
    return np.asarray(picture_to_fit(Image.fromarray(image), frame))


def picture_to_fit(picture: Any, frame: Frame) -> Any:
    """The same of Pillow's image."""
    from PIL import Image, ImageOps

    size, method = (frame.width, frame.height), Image.Resampling.BICUBIC
    match frame.fit:
        case "crop":
            return ImageOps.fit(picture, size, method)
        case "pad":
            return ImageOps.pad(picture, size, method, color=0)
        case _:
            return picture.resize(size, method)


def all_to_fit(images: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """All images of an array, (n, height, width) or (n, height, width, 3)."""
    made = np.empty((len(images), frame.height, frame.width, *images.shape[3:]), np.uint8)
    for place, image in enumerate(images):
        made[place] = made_to_fit(image, frame)
    return made


def made_colour(images: NDArray[np.uint8], colour: bool | None) -> NDArray[np.uint8]:
    """Images in colour, (n, height, width, 3), or grey, (n, height, width); None: as they are."""
    if colour is None or colour == (images.ndim == 4):
        return images
    if colour:
        return np.repeat(images[..., None], 3, axis=-1)
    grey = np.empty(images.shape[:3], np.uint8)
    for place, image in enumerate(images):
        grey[place] = (image @ LUMA + (1 << 15)) >> 16
    return grey


def chosen_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """(height, width) for images of these sizes: their medians, reduced so that the longer one is LONGEST at most."""
    height, width = (float(np.median(sides)) for sides in zip(*sizes, strict=True))
    scale = min(1.0, LONGEST / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
