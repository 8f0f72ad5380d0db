"""Accuracy by budget, the number of labelled images; and the budget at which scratch catches up with transfer."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.results.statistics.basics import ALPHA, Bounds, Errors
from tasks.experiment.results.statistics.intervals import FEWEST

METHOD = "interpolated in the logarithm of the number of images; inverted paired t-test of the two means"


class Band(TypedDict):
    """A mean accuracy with its 95 % interval; None if there is a single run."""

    accuracy: float
    low: float | None
    high: float | None


class EquivalentBudget(Bounds):
    """A number of images with its interval, from budgets between `smallest` and `largest`.

    One that equals an end of the budgets means "this few, or fewer" or "this many, or more".
    """

    estimate: float
    smallest: int
    largest: int


def mean_with_band(errors: Errors) -> Band:
    """Mean accuracy of runs, errors of shape (runs,), with Student's interval."""
    bounds = mean_interval(errors)
    low, high = (1 - bounds[1], 1 - bounds[0]) if bounds else (None, None)
    return Band(accuracy=float(1 - errors.mean()), low=low, high=high)


def equivalent_budget(budgets: NDArray[np.int64], scratch: Errors, transfer: Errors) -> EquivalentBudget:
    """How many images scratch needs for transfer's mean error, with a 95 % interval.

    budgets: numbers of images, shape (budgets,), ascending; scratch: (budgets, seeds); transfer: (seeds,), same seeds.
    """
    curve = np.maximum.accumulate(-scratch.mean(-1))  # more images never count as worse
    estimate = float(np.exp(np.interp(-transfer.mean(), curve, np.log(budgets))))
    low, high = budget_interval(budgets, scratch, transfer) or (None, None)
    return EquivalentBudget(
        estimate=estimate, low=low, high=high, confidence=1 - ALPHA, method=METHOD, n=len(transfer),
        smallest=int(budgets[0]), largest=int(budgets[-1]),
    )  # fmt: skip


def mean_interval(errors: Errors, confidence: float = 1 - ALPHA) -> tuple[float, float] | None:
    """Student's interval of a mean, errors of shape (runs,); None below FEWEST runs."""
    from scipy.stats import t

    if len(errors) < FEWEST:
        return None
    half = t.ppf((1 + confidence) / 2, len(errors) - 1) * errors.std(ddof=1) / np.sqrt(len(errors))
    return float(errors.mean() - half), float(errors.mean() + half)


def budget_interval(
    budgets: NDArray[np.int64], scratch: Errors, transfer: Errors, confidence: float = 1 - ALPHA
) -> tuple[float, float] | None:
    """All numbers of images at which these seeds can't tell scratch's mean error from transfer's: (fewest, most).

    budgets: shape (budgets,), ascending; scratch: (budgets, seeds), interpolated in the logarithm; transfer: (seeds,).
    """
    from scipy.stats import t

    n = len(transfer)
    if n < FEWEST:
        return None
    grid = np.linspace(0, len(budgets) - 1, 200 * (len(budgets) - 1) + 1)
    between, left = np.modf(grid)
    left = left.astype(int)
    right = np.minimum(left + 1, len(budgets) - 1)
    errors = scratch[left] * (1 - between[:, None]) + scratch[right] * between[:, None]
    gap = errors - transfer
    error = gap.std(-1, ddof=1) / np.sqrt(n)
    alike = np.flatnonzero(np.abs(gap.mean(-1)) <= t.ppf((1 + confidence) / 2, n - 1) * error)
    if len(alike):
        ends = max(alike[0] - 1, 0), min(alike[-1] + 1, len(grid) - 1)  # they lie between two points of the grid
    else:  # beyond an end of the budgets
        ends = (np.argmin(np.abs(gap.mean(-1))),) * 2
    low, high = np.exp(np.interp(grid[list(ends)], np.arange(len(budgets)), np.log(budgets)))
    return float(low), float(high)
