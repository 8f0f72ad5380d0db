"""Intervals of a learning curve: of its means, and of how many images scratch needs to catch up with transfer."""

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.results.intervals import FEWEST
from tasks.experiment.results.statistics import ALPHA, Errors


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
    if not len(alike):  # beyond an end of the budgets
        alike = np.array([np.argmin(np.abs(gap.mean(-1)))])
    log = np.interp(grid[[alike[0], alike[-1]]], np.arange(len(budgets)), np.log(budgets))
    return float(np.exp(log[0])), float(np.exp(log[1]))
