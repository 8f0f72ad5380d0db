"""Made-up images in which two patterns are hidden, for tests that know how much task A can help with task B.

Task A's classes 0 to 3 are told apart by the signs of both patterns, task B's, 4 and 5, by the sign of the first one.
"""

from pathlib import Path

import numpy as np

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.ingestion import import_data
from tasks.experiment.data.pixels import pixel_statistics, save_pixels
from tasks.experiment.data.splits import Problem, Target, cut_source, cut_target

SIDE, NOISE, SIGNAL = 6, 40, 22  # pixels; grey levels


def write_npz(path: Path, images: int = 3000, *, informative: bool = True, seed: int = 1) -> Path:
    """informative: whether task A's labels have to do with its images."""
    rng = np.random.default_rng(seed)
    patterns = rng.choice([-1, 1], (2, SIDE, SIDE))
    signs = rng.choice([-1, 1], (2 * images, 2))
    x = 127 + NOISE * rng.standard_normal((2 * images, SIDE, SIDE)) + SIGNAL * np.tensordot(signs, patterns, 1) / 2
    one, other = (signs > 0).T.astype(int)
    y = np.where(np.arange(2 * images) % 3 < 2, one + 2 * other, 4 + one)
    if not informative:
        of_A = np.flatnonzero(y < 4)
        y[of_A] = rng.permutation(y[of_A])
    given = np.clip(x, 0, 255).astype(np.uint8)
    np.savez(path, x_train=given[:images], y_train=y[:images], x_test=given[images:], y_test=y[images:])
    return path


def problems(path: Path, samples: int) -> tuple[Problem, Problem]:
    """Task A and task B. HEADSTART_ARTIFACTS must be set."""
    data: DataSet = import_data(path)
    images, _ = data.training_and_validation(data.images("train"))
    start = save_pixels(pixel_statistics(images, standardize=True))
    B = cut_target(data, start, Target(classes=(4, 5), samples=samples, balanced=False))
    return cut_source(data, start, B), B
