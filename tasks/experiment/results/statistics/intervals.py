"""The one interval of ratios and differences over the same seeds, which covers from three pairs up: Fieller's.

A ratio is in the interval if the paired t-test can't tell numerator − ratio · denominator from zero (Fieller 1954). So
the interval of an error reduction holds 0 exactly where the t-test of the pairs has p > 0.05.

Errors have the shape (…, pairs), fractions of 1; leading axes are separate studies, for simulations.
`python -m tests.benchmarks.coverage` shows how often the intervals cover, and DECISIONS.md why it is these.
"""

from typing import Any

import numpy as np

from tasks.experiment.results.statistics.basics import ALPHA, Errors, Interval, error_reduction

METHOD = "inverted paired t-test of the ratio of means (Fieller 1954)"
FEWEST = 3  # pairs: of two, most intervals are unbounded, and the others cover too rarely
EQUAL = 1e-9  # errors are counts of images: what differs by less is equal, but for its last bits


def moments(denominator: Errors, numerator: Errors) -> tuple[Errors, Errors]:
    """Means of both, shape (2, …), and the covariance of these means, (2, 2, …)."""
    pairs = np.stack([denominator, numerator])
    n = pairs.shape[-1]
    centred = pairs - pairs.mean(-1, keepdims=True)
    return pairs.mean(-1), np.einsum("a...n,b...n->ab...", centred, centred) / (n * max(n - 1, 1))


def standard_error(covariance: Errors, ratio: Any) -> Errors:
    """Standard error of mean numerator − ratio · mean denominator."""
    variance = covariance[1, 1] - 2 * ratio * covariance[0, 1] + ratio**2 * covariance[0, 0]
    return np.sqrt(np.maximum(variance, 0))


def fieller(mean: Errors, covariance: Errors, quantile: Any) -> tuple[Errors, Errors]:
    """(low, high) of mean[1] / mean[0], quantile: Student's. NaN where the ratio is unbounded or nothing varies."""
    square = mean[:, None] * mean[None, :] - quantile**2 * covariance
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.sqrt(np.maximum(square[0, 1] ** 2 - square[0, 0] * square[1, 1], 0))
        low, high = ((square[0, 1] + sign * half) / square[0, 0] for sign in (-1, 1))
        none = (square[0, 0] <= 0) | (standard_error(covariance, mean[1] / mean[0]) < EQUAL)
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def ratio_interval(denominator: Errors, numerator: Errors, confidence: float = 1 - ALPHA) -> tuple[Errors, Errors]:
    """(low, high) of mean numerator / mean denominator; NaN where there is none, and below FEWEST pairs."""
    from scipy.stats import t

    n = denominator.shape[-1]
    mean, covariance = moments(denominator, numerator)
    quantile = t.ppf((1 + confidence) / 2, n - 1) if n >= FEWEST else np.inf
    with np.errstate(invalid="ignore"):
        return fieller(mean, covariance, quantile)


def error_reduction_interval(scratch: Errors, transfer: Errors, confidence: float = 1 - ALPHA) -> Interval:
    """1 − mean transfer error / mean scratch error, in percent; errors of shape (pairs,)."""
    low, high = ratio_interval(scratch, transfer, confidence)
    return interval(error_reduction(scratch, transfer), (100 * (1 - high), 100 * (1 - low)), len(scratch), confidence)


def share_interval(scratch: Errors, part: Errors, transfer: Errors, confidence: float = 1 - ALPHA) -> Interval:
    """How much of transfer's gain over scratch the arm `part` reaches, in percent; errors of shape (seeds,).

    The seeds are taken together, and there is no interval unless these seeds show that there is a gain at all.
    """
    return share_of(scratch - transfer, scratch - part, confidence)


def share_of(total: Errors, part: Errors, confidence: float = 1 - ALPHA) -> Interval:
    """Mean part / mean total, in percent, both of shape (seeds,); no interval if the total's holds 0."""
    estimate = float(100 * part.mean() / total.mean()) if abs(total.mean()) > EQUAL else None
    low, high = ratio_interval(total, part, confidence)
    return interval(estimate, (100 * low, 100 * high), len(total), confidence)


def interval(
    estimate: float | None, bounds: tuple[Any, Any], n: int, confidence: float, method: str = METHOD
) -> Interval:
    """As it is kept; where a bound is not finite there is no interval, and `method` says why."""
    low, high = (float(bound) for bound in bounds)
    if estimate is not None and np.isfinite(low) and np.isfinite(high):
        return Interval(
            estimate=estimate, low=low, high=high, confidence=confidence, method=method, n=n, unit="percent"
        )
    why = f"it takes {FEWEST} pairs" if n < FEWEST else "these pairs leave the ratio unbounded, or agree exactly"
    return Interval(
        estimate=estimate, low=None, high=None, confidence=confidence, method=f"none: {why}", n=n, unit="percent"
    )


def influence(scratch: Errors, transfer: Errors) -> Errors:
    """How much each pair moves the error reduction in percent, shape (…, pairs); their mean is 0."""
    base = scratch.mean(-1, keepdims=True)
    return 100 * (transfer.mean(-1, keepdims=True) / base * scratch - transfer) / base


def difference_interval(
    before: tuple[Errors, Errors], after: tuple[Errors, Errors], confidence: float = 1 - ALPHA
) -> tuple[Errors, Errors, Errors]:
    """How many points the error reduction of `after` is above that of `before`: (estimate, low, high), shape (…).

    Both are (scratch, transfer), over the same seeds, which are paired. Student's t of the linearized ratios.
    """
    from scipy.stats import t

    n = before[0].shape[-1]
    estimate = 100 * (before[1].mean(-1) / before[0].mean(-1) - after[1].mean(-1) / after[0].mean(-1))
    error = (influence(*after) - influence(*before)).std(-1, ddof=1) / np.sqrt(n) if n >= FEWEST else np.nan
    half = t.ppf((1 + confidence) / 2, n - 1) * error
    return estimate, estimate - half, estimate + half
