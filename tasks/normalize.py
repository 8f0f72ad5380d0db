"""normalize: mean and standard deviation of each pixel over the training images only."""

from typing import Literal

import numpy as np

from tasks.experiment import dataset
from tasks.experiment.pixels import save_pixels
from tasks.experiment.store import Artifact
from tasks.stage import stage


@stage()
def normalize(data: dataset.DataSet, normalization: Literal["standardize", "none"]) -> Artifact:
    images = dataset.read_images("train")[: -dataset.VALIDATION_IMAGES]
    mean, std = np.zeros(images.shape[1:], np.float32), np.ones(images.shape[1:], np.float32)
    if normalization == "standardize":
        mean = images.mean(0, dtype=np.float64).astype(np.float32)
        std = images.std(0, dtype=np.float64).astype(np.float32)
        std[std == 0] = 1  # a constant pixel tells nothing; it must not divide by zero
    return save_pixels(mean, std)
