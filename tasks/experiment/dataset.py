"""Fashion-MNIST: its IDX files under data/raw, known by the hash of their content, and how they are read."""

import hashlib
import math
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

# sha256 of the decompressed content, and its size in bytes: gzip files differ between mirrors, content does not.
FILES = {
    "train-images-idx3-ubyte": ("c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 47_040_016),
    "train-labels-idx1-ubyte": ("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 60_008),
    "t10k-images-idx3-ubyte": ("5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 7_840_016),
    "t10k-labels-idx1-ubyte": ("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 10_008),
}
VALIDATION_IMAGES = 5_000


def data_root() -> Path:
    """The data folder: HEADSTART_DATA, or `data` in the project."""
    return Path(os.environ.get("HEADSTART_DATA") or Path(__file__).parents[2] / "data").absolute()


class DataSet(BaseModel):
    """The handle of the verified files under data/raw: file name → sha256 of its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    files: dict[str, str]

    def is_intact(self) -> bool:
        return all(is_valid(data_root() / "raw" / name) for name in self.files)


def is_valid(path: Path) -> bool:
    sha256, size = FILES[path.name]
    try:
        if path.stat().st_size != size:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:
        return False


def read_images(part: str) -> NDArray[np.uint8]:
    """Images of `part` ("train" or "t10k"): uint8, shape (images, 28, 28)."""
    return _read_idx(data_root() / "raw" / f"{part}-images-idx3-ubyte")


def read_labels(part: str) -> NDArray[np.uint8]:
    """Class numbers of `part` ("train" or "t10k"): uint8, shape (images,)."""
    return _read_idx(data_root() / "raw" / f"{part}-labels-idx1-ubyte")


def _read_idx(path: Path) -> NDArray[np.uint8]:
    """An IDX file of unsigned bytes: magic 0 0 8 ndim, big-endian uint32 sizes, data.

    Raises ValueError, before the data is read, if the header is not that of a file of this size.
    """
    with path.open("rb") as stream:
        magic = stream.read(4)
        dimensions = magic[3] if magic[:3] == b"\0\0\x08" and len(magic) == 4 else 0
        header = stream.read(4 * dimensions)
        shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(0, len(header), 4))
        if not dimensions or 4 + len(header) + math.prod(shape) != path.stat().st_size:
            raise ValueError(f"{path}: not an IDX file of bytes, or not of the size that its header tells")
        return np.frombuffer(stream.read(), np.uint8).reshape(shape)
