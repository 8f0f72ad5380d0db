"""Accuracy by budget, the number of labelled images; and the budget at which scratch catches up with transfer."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.results.statistics import ALPHA, RESAMPLES, Bounds, Errors, percentile_bootstrap

METHOD = f"interpolated in the logarithm of the number of images, seeds resampled {RESAMPLES:,} times, percentiles"


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
    """Mean accuracy of runs, errors of shape (runs,), with the percentile bootstrap's interval."""
    low, high = percentile_bootstrap(lambda e, axis: 1 - e.mean(axis), errors) if len(errors) > 1 else (None, None)
    return Band(accuracy=float(1 - errors.mean()), low=low, high=high)


def equivalent_budget(budgets: NDArray[np.int64], scratch: Errors, transfer: Errors) -> EquivalentBudget:
    """How many images scratch needs for transfer's mean error, with a 95 % interval.

    budgets: numbers of images, shape (budgets,), ascending; scratch: (budgets, seeds); transfer: (seeds,), same seeds.
    """

    def catch_up(chosen: NDArray[np.int64], axis: int = -1) -> Errors:
        """For seeds `chosen`, (…, seeds): the number of images, (…)."""
        curves = np.maximum.accumulate(-scratch[:, chosen].mean(axis), axis=0)  # more images never count as worse
        goals = -transfer[chosen].mean(axis)
        flat = curves.reshape(len(budgets), -1).T, np.ravel(goals)
        logs = [np.interp(goal, curve, np.log(budgets)) for curve, goal in zip(*flat, strict=True)]
        return np.exp(logs).reshape(np.shape(goals))

    seeds = np.arange(len(transfer))
    low, high = percentile_bootstrap(catch_up, seeds) if len(seeds) > 1 else (None, None)
    return EquivalentBudget(
        estimate=float(catch_up(seeds)), low=low, high=high, confidence=1 - ALPHA, method=METHOD, n=len(seeds),
        smallest=int(budgets[0]), largest=int(budgets[-1]),
    )  # fmt: skip
