"""normalize: mean and standard deviation of each pixel over the training images only."""

from typing import Literal

import numpy as np

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.pixels import save_pixels
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact


@stage()
def normalize(data: DataSet, normalization: Literal["standardize", "none"]) -> Artifact:
    images, _ = data.training_and_validation(data.images("train"))
    mean, std = np.zeros(images.shape[1:], np.float32), np.ones(images.shape[1:], np.float32)
    if normalization == "standardize":
        # Sums of whole numbers: exact, and ten times faster than in floats.
        sums, squares = images.sum(0, dtype=np.int64), np.square(images, dtype=np.uint16).sum(0, dtype=np.int64)
        n = len(images)
        mean = (sums / n).astype(np.float32)
        std = (np.sqrt(n * squares - sums**2) / n).astype(np.float32)
        std[std == 0] = 1  # a constant pixel tells nothing; it must not divide by zero
    return save_pixels(mean, std)
