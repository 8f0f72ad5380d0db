"""Mean and standard deviation of each pixel, stored."""

import numpy as np
from numpy.typing import NDArray

from tasks.storage.artifacts import Artifact, save


def save_pixels(mean: NDArray[np.float32], std: NDArray[np.float32]) -> Artifact:
    """Store both; float32, each of one image's shape."""
    return save("normalize", lambda folder: np.savez(folder / "pixels.npz", mean=mean, std=std))


def load_pixels(artifact: Artifact) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(mean, std)."""
    with np.load(artifact.folder() / "pixels.npz", allow_pickle=False) as pixels:
        return pixels["mean"], pixels["std"]
