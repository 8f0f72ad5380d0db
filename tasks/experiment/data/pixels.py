"""Mean and standard deviation of each pixel, stored."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.storage.artifacts import Artifact, save


class Pixels(NamedTuple):
    """Float32, each of one image's shape."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]


def save_pixels(mean: NDArray[np.float32], std: NDArray[np.float32]) -> Artifact:
    """Store both; float32, each of one image's shape."""
    return save("normalize", lambda folder: np.savez(folder / "pixels.npz", mean=mean, std=std))


def load_pixels(folder: Path) -> Pixels:
    """What `save_pixels` stored in the artifact of this folder."""
    with np.load(folder / "pixels.npz", allow_pickle=False) as arrays:
        return Pixels(arrays["mean"], arrays["std"])
