"""One answer over all pairs of classes, after rliable (Agarwal et al. 2021): each pair of classes is a stratum.

Errors: shape (pairs of classes, seeds), fractions of 1, scratch's and transfer's of the same seeds.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

import numpy as np

from tasks.experiment.randomness import generator
from tasks.experiment.results.comparisons import ClassComparison
from tasks.experiment.results.statistics.basics import ALPHA, Errors, Interval, error_reduction
from tasks.experiment.results.statistics.intervals import EQUAL, fieller, interval, moments, standard_error
from tasks.experiment.results.statistics.verdicts import TOO_SMALL, Claim, claim

RESAMPLES = 2000
POINTS = 101  # of a profile
METHOD = "inverted t-test of the ratio of means (Fieller 1954), with the variances within the pairs of classes"
BOOTSTRAP = "stratified bootstrap of one seed less than there are (Rao & Wu 1988), percentiles"


class Profile(TypedDict):
    """Which part of an arm's runs has at most each of `errors`, with a pointwise band; all in percent."""

    arm: str
    errors: list[float]
    runs: list[float]
    low: list[float]
    high: list[float]


class ClassPairs(TypedDict):
    """Over all pairs of classes, each counting alike; and the single ones. Mean errors in percent.

    probability_of_improvement: of a pair of classes and a seed at random, in percent; ties count half.
    """

    scratch_error: float
    transfer_error: float
    error_reduction: Interval
    verdict: Claim
    probability_of_improvement: Interval
    profiles: list[Profile]
    single: list[ClassComparison]


def compare_over_classes(errors: Mapping[str, Errors], single: list[ClassComparison]) -> ClassPairs:
    """The second arm of `errors` against the first one."""
    scratch, transfer = errors.values()
    result = stratified_reduction(scratch, transfer)
    better = (transfer < scratch) + (transfer == scratch) / 2
    low, high = stratified_bootstrap(better, np.mean)
    return ClassPairs(
        scratch_error=float(100 * scratch.mean()), transfer_error=float(100 * transfer.mean()),
        error_reduction=result, verdict=verdict_of(result),
        probability_of_improvement=interval(
            float(100 * better.mean()), (100 * low, 100 * high), better.size, 1 - ALPHA, BOOTSTRAP
        ),
        profiles=profiles(errors), single=single,
    )  # fmt: skip


def stratified_reduction(scratch: Errors, transfer: Errors, confidence: float = 1 - ALPHA) -> Interval:
    """1 − mean transfer error / mean scratch error in percent: `error_reduction_interval`, but stratified.

    Student's degrees of freedom are Satterthwaite's, since errors vary more in some pairs of classes than in others.
    """
    from scipy.stats import t

    strata, seeds = scratch.shape
    means, covariances = moments(scratch, transfer)
    mean, covariance = means.mean(-1), covariances.sum(-1) / strata**2
    variances = standard_error(covariances, mean[1] / max(mean[0], EQUAL)) ** 2
    degrees = (seeds - 1) * variances.sum() ** 2 / max((variances**2).sum(), EQUAL**4)
    with np.errstate(invalid="ignore"):
        low, high = fieller(mean, covariance, t.ppf((1 + confidence) / 2, max(degrees, seeds - 1)))
    bounds = 100 * (1 - high), 100 * (1 - low)
    return interval(error_reduction(scratch, transfer), bounds, scratch.size, confidence, METHOD)


def verdict_of(result: Interval) -> Claim:
    """The rule for claims, read off the interval of a single comparison, as it may be."""
    low, high = result["low"], result["high"]
    if low is None or high is None:
        return "can't tell"
    return claim(result, p=float(low <= 0 <= high), p_too_small=float(max(-low, high) > TOO_SMALL))


def profiles(errors: Mapping[str, Errors]) -> list[Profile]:
    """Performance profiles of the arms, at errors that lie as close as the runs do."""
    at = np.unique(np.quantile(np.stack(list(errors.values())), np.linspace(0, 1, POINTS)))

    def runs_at_most(values: Errors) -> Errors:
        return 100 * np.searchsorted(np.sort(values, axis=None), at, side="right") / values.size

    found = []
    for arm, values in errors.items():
        low, high = stratified_bootstrap(values, runs_at_most)
        found.append(
            Profile(
                arm=arm, errors=(100 * at).tolist(), runs=runs_at_most(values).tolist(), low=low.tolist(),
                high=high.tolist(),
            )
        )  # fmt: skip
    return found


def stratified_bootstrap(values: Errors, statistic: Callable[[Errors], Any]) -> tuple[Any, Any]:
    """(low, high) of a statistic of `values`, shape (strata, seeds), with 95 %; seeds are drawn in each stratum.

    Of n seeds n − 1 are drawn: n of them would vary too little, by a third of the variance where there are three.
    """
    strata, seeds = values.shape
    random, rows = generator(0, "stratified bootstrap"), np.arange(strata)[:, None]
    drawn = [statistic(values[rows, random.integers(seeds, size=(strata, seeds - 1))]) for _ in range(RESAMPLES)]
    return tuple(np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2], axis=0))
