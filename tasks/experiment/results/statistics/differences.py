"""One arm's test error less another's, over the same seeds: in points, which add up, and in percent, as ever.

Errors: shape (seeds,), fractions of 1. Points are points of the test error in percent: from 5 % to 4 % is one point.
"""

from collections.abc import Mapping

from tasks.experiment.results.budgets import mean_interval
from tasks.experiment.results.comparisons import Comparison, compare
from tasks.experiment.results.statistics.basics import ALPHA, Errors, Interval
from tasks.experiment.results.statistics.intervals import FEWEST

METHOD = "Student's t of the mean"


class Difference(Comparison):
    """How far the arm `after` is below the arm `before`, the baseline. points: of their mean test errors."""

    before: str
    after: str
    points: Interval


def difference(errors: Mapping[str, Errors], before: str, after: str) -> Difference:
    """Both arms, judged by themselves; errors by arm."""
    points = mean_of(errors[before] - errors[after], "points")
    return Difference(before=before, after=after, points=points, **compare(errors[before], errors[after]))


def mean_of(values: Errors, unit: str, confidence: float = 1 - ALPHA) -> Interval:
    """100 times their mean, with the interval that inverts the t-test; shape (seeds,)."""
    low, high = mean_interval(100 * values, confidence) or (None, None)
    method = METHOD if low is not None else f"none: it takes {FEWEST} seeds"
    return Interval(
        estimate=float(100 * values.mean()), low=low, high=high, confidence=confidence, method=method, n=len(values),
        unit=unit,
    )  # fmt: skip
