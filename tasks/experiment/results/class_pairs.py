"""One answer over all pairs of classes, after rliable (Agarwal et al. 2021).

Errors of both arms: shape (pairs of classes, seeds), fractions of 1.
"""

from typing import TypedDict

from tasks.experiment.results.comparisons import ClassComparison
from tasks.experiment.results.statistics import Interval


class Profile(TypedDict):
    """Of one arm: which part of all runs has at most so large a test error, in percent, each with a pointwise band."""

    arm: str
    errors: list[float]
    runs: list[float]
    low: list[float]
    high: list[float]


class ClassPairs(TypedDict):
    """Over all pairs of classes, each counting alike; and the single ones.

    points: how far the mean test error is below scratch's; error_reduction: of these means;
    probability_of_improvement: of a pair of classes and a seed at random, in percent, ties counting half.
    """

    points: Interval
    error_reduction: Interval
    probability_of_improvement: Interval
    profiles: list[Profile]
    single: list[ClassComparison]
