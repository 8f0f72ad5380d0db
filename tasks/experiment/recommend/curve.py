"""Accuracy by number of labelled images, and beyond: an inverse power law (Hestness et al. 2017), bootstrapped."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.randomness import generator
from tasks.experiment.recommend.choice import CONFIDENCE, Right

RESAMPLES = 200
EXPONENTS = np.linspace(0.1, 1.5, 29)
FARTHEST = 4  # times the images that there are


class At(TypedDict):
    """Accuracy with so many images to train on, as a fraction, with its interval."""

    images: int
    accuracy: float
    low: float
    high: float


class Curve(TypedDict):
    """measured: in cross-validation. fitted: the law, from the fewest measured to FARTHEST times the images there are.

    more: so many more images, as many as there are; worth: what they would be worth, in points, with its interval.
    """

    measured: list[At]
    fitted: list[At]
    more: int
    worth: float
    worth_low: float
    worth_high: float


def fit_power_law(images: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, float, float]:
    """(a, b, c) of a + b · images^−c, all at least 0, with the least squares."""
    from scipy.optimize import nnls

    fits = []
    for exponent in EXPONENTS.tolist():
        (floor, factor), distance = nnls(np.stack([np.ones(len(images)), images**-exponent], axis=1), errors)
        fits.append((distance, floor, factor, exponent))
    _, *law = min(fits)
    return law[0], law[1], law[2]


def learning_curve(rights: Sequence[Right], images: Sequence[int], labels: int, seed: int) -> Curve:
    """rights: for each number of images, ascending, of one method: which labelled images were answered rightly.

    labels: how many labelled images there are.
    """
    at = np.array(images, np.float64)
    errors = np.stack([1 - right.mean(0) for right in rights])  # (numbers of images, labelled images)
    random = generator(seed, "curve")
    grid = np.unique(np.geomspace(min(images), FARTHEST * labels, 40).round()).astype(int)
    asked = np.array([*grid.tolist(), labels, 2 * labels], np.float64)

    def predicted(mean_errors: NDArray[np.float64]) -> NDArray[np.float64]:
        floor, factor, exponent = fit_power_law(at, mean_errors)
        return floor + factor * asked**-exponent

    drawn = [errors[:, random.integers(labels, size=labels)].mean(1) for _ in range(RESAMPLES)]
    laws = 1 - np.stack([predicted(each) for each in drawn])
    law = 1 - predicted(errors.mean(1))
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    measured_low, measured_high = np.quantile(1 - np.stack(drawn), ends, axis=0)
    low, high = np.quantile(laws, ends, axis=0)
    worth_low, worth_high = np.quantile(100 * (laws[:, -1] - laws[:, -2]), ends).tolist()
    return Curve(
        measured=_at(images, 1 - errors.mean(1), measured_low, measured_high),
        fitted=_at(grid.tolist(), law, low, high),
        more=labels, worth=100 * float(law[-1] - law[-2]), worth_low=worth_low, worth_high=worth_high,
    )  # fmt: skip


def _at(images: Sequence[int], *values: NDArray[np.float64]) -> list[At]:
    rows = zip(images, *(each.tolist() for each in values), strict=False)
    return [At(images=n, accuracy=accuracy, low=low, high=high) for n, accuracy, low, high in rows]
