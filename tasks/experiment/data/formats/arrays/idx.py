"""The IDX format of MNIST and its relatives: one array per file."""

import gzip
import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def read_idx(path: Path, max_bytes: int = sys.maxsize) -> NDArray[np.uint8]:
    """An IDX file of unsigned bytes, plain or .gz: magic 0 0 8 ndim, big-endian uint32 sizes, data.

    Raises ValueError, before the data is read, if the header is not that of a plain file of this size, or if there are
    more than `max_bytes`, decoded.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        magic = stream.read(4)
        dimensions = magic[3] if magic[:3] == b"\0\0\x08" and len(magic) == 4 else 0
        header = stream.read(4 * dimensions)
        shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(0, len(header), 4))
        size = 4 + len(header) + math.prod(shape)
        if not dimensions or (path.suffix != ".gz" and size != path.stat().st_size):
            raise ValueError(f"{path}: not an IDX file of bytes, or not of the size that its header tells")
        if size > max_bytes:
            raise ValueError(f"{path}: more than {max_bytes >> 30} GiB, the limit")
        data = stream.read(math.prod(shape) + 1)  # never more than the header promises, and one byte to detect it
    if len(data) != math.prod(shape):
        raise ValueError(f"{path}: not an IDX file of bytes, or not of the size that its header tells")
    return np.frombuffer(data, np.uint8).reshape(shape)
