"""Error reduction with its interval, and tests of pairs.

Errors are arrays of shape (pairs,), fractions of 1.
"""

from math import sqrt
from statistics import NormalDist
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 9_999
METHOD = f"paired percentile bootstrap of the ratio of means, {RESAMPLES:,} resamples"
T_METHOD = "inverted paired t-test of the ratio of means (Fieller 1954)"
ALPHA = 0.05

Errors = NDArray[np.float64]


class Bounds(TypedDict):
    """A confidence interval from `n` pairs or images; None where there is none."""

    low: float | None
    high: float | None
    confidence: float
    method: str
    n: int


class Interval(Bounds):
    """An estimate, if there is one, with its confidence interval."""

    estimate: float | None
    unit: str


class Wins(Bounds):
    """In how many pairs transfer was better, and P(transfer better) with its interval, ties left out."""

    wins: int
    ties: int
    p_transfer_better: float | None


class McNemar(TypedDict):
    """On how many images only one model of a pair is right, and how likely a split as uneven as that is by chance."""

    only_scratch_right: int
    only_transfer_right: int
    p_value: float


def error_reduction(scratch: Errors, transfer: Errors) -> float | None:
    """1 − mean transfer error / mean scratch error, in percent; None where scratch makes no error."""
    return None if np.mean(scratch) == 0 else float(100 * (1 - np.mean(transfer) / np.mean(scratch)))


def error_reduction_interval(scratch: Errors, transfer: Errors, confidence: float = 1 - ALPHA) -> Interval:
    """Ratio-of-means error reduction in percent with its interval; for a single pair there is none.

    The resampling has a fixed seed of its own: the same pairs give the same interval.
    """
    n, estimate = len(scratch), error_reduction(scratch, transfer)
    low, high, method = None, None, "none: it takes two pairs and a scratch error"

    def statistic(s: Errors, t: Errors, axis: int = -1) -> Errors:
        with np.errstate(divide="ignore", invalid="ignore"):
            return 100 * (1 - t.mean(axis) / s.mean(axis))

    if n >= 2 and estimate is not None:
        low, high = percentile_bootstrap(statistic, scratch, transfer, confidence=confidence)
        method = METHOD
    return Interval(estimate=estimate, low=low, high=high, confidence=confidence, method=method, n=n, unit="percent")


def percentile_bootstrap(
    statistic: Any, *samples: NDArray[Any], confidence: float = 1 - ALPHA
) -> tuple[float | None, float | None]:
    """(low, high) of a vectorized `statistic(*samples, axis)`, whole pairs resampled; None where not finite."""
    from scipy.stats import bootstrap

    with np.errstate(invalid="ignore"):  # percentiles of infinities, where a resample made no scratch error
        interval = bootstrap(
            samples, statistic, paired=True, vectorized=True, n_resamples=RESAMPLES,
            confidence_level=confidence, method="percentile", rng=np.random.default_rng(0), axis=-1,
        ).confidence_interval  # fmt: skip
    low, high = (float(bound) if np.isfinite(bound) else None for bound in interval)
    return low, high


def error_reduction_t_interval(scratch: Errors, transfer: Errors, confidence: float = 1 - ALPHA) -> Interval:
    """The same by inverting the paired t-test: all ratios r at which transfer − r · scratch could have mean zero.

    For few pairs, with which a bootstrap is far too narrow. No interval where the ratio is unbounded.
    """
    from scipy.stats import t

    n, estimate, low, high = len(scratch), error_reduction(scratch, transfer), None, None
    if n >= 2 and np.any(scratch):
        quantile = t.ppf((1 + confidence) / 2, n - 1)
        (ss, st), (_, tt) = np.cov(scratch, transfer) * quantile**2 / n
        square = np.array([np.mean(scratch) ** 2 - ss, np.mean(scratch) * np.mean(transfer) - st])
        rest = np.mean(transfer) ** 2 - tt
        if square[0] > 0:
            half = np.sqrt(max(square[1] ** 2 - square[0] * rest, 0))
            low, high = (float(100 * (1 - (square[1] + sign * half) / square[0])) for sign in (1, -1))
    return Interval(estimate=estimate, low=low, high=high, confidence=confidence, method=T_METHOD, n=n, unit="percent")


def accuracy_interval(accuracy: float, images: int, confidence: float = 1 - ALPHA) -> Interval:
    """How precisely an accuracy on that many images is known, as if they were drawn at random (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (accuracy + z**2 / (2 * images)) / (1 + z**2 / images)
    half = z * sqrt(accuracy * (1 - accuracy) / images + z**2 / (4 * images**2)) / (1 + z**2 / images)
    return Interval(
        estimate=accuracy, low=centre - half, high=centre + half, confidence=confidence,
        method="Wilson's score", n=images, unit="fraction",
    )  # fmt: skip


def wins(scratch: Errors, transfer: Errors, confidence: float = 1 - ALPHA) -> Wins:
    """How often transfer was better, and P(transfer better) with its exact interval; ties are left out of both."""
    from scipy.stats import binomtest

    better, ties, n = int(np.sum(transfer < scratch)), int(np.sum(transfer == scratch)), len(scratch)
    p, low, high = None, None, None
    if ties < n:
        interval = binomtest(better, n - ties).proportion_ci(confidence, method="exact")
        p, low, high = better / (n - ties), float(interval.low), float(interval.high)
    return Wins(
        wins=better, ties=ties, n=n, p_transfer_better=p, low=low, high=high, confidence=confidence,
        method="Clopper–Pearson, ties left out",
    )  # fmt: skip


def mcnemar(scratch_right: NDArray[np.bool_], transfer_right: NDArray[np.bool_]) -> McNemar:
    """McNemar's exact test of one pair on the same images: is one right more often where they disagree?"""
    from scipy.stats import binomtest

    only_scratch = int(np.sum(scratch_right & ~transfer_right))
    only_transfer = int(np.sum(~scratch_right & transfer_right))
    disagreements = only_scratch + only_transfer
    p = binomtest(only_transfer, disagreements).pvalue if disagreements else 1.0
    return McNemar(only_scratch_right=only_scratch, only_transfer_right=only_transfer, p_value=float(p))


def wilcoxon_p(scratch: Errors, transfer: Errors) -> float:
    """Wilcoxon's signed-rank test, two-sided: are the differences of the pairs centred on zero?"""
    from scipy.stats import wilcoxon

    differences = _differences(scratch, transfer)
    return float(wilcoxon(differences).pvalue) if np.any(differences) else 1.0


def t_test_p(scratch: Errors, transfer: Errors) -> float:
    """Student's paired t-test, two-sided; 1 where all differences are equal, which hides how much they vary."""
    from scipy.stats import ttest_1samp

    differences = _differences(scratch, transfer)
    return float(ttest_1samp(differences, 0).pvalue) if np.ptp(differences) > 0 else 1.0


def _differences(scratch: Errors, transfer: Errors) -> Errors:
    """By pair. Errors are counts of images: rounded, equal differences are equal, whatever their last bits say."""
    return np.round(scratch - transfer, 12)


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment: claims with an adjusted p ≤ ALPHA contain an error that often at most."""
    import pandas as pd

    p = pd.Series(p_values, dtype=float).sort_values(kind="stable")
    return (p * np.arange(len(p), 0, -1)).cummax().clip(upper=1).sort_index().tolist()
