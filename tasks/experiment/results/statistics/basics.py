"""Error reduction, tests of pairs, and the types of intervals.

Errors are arrays of shape (pairs,), fractions of 1.
"""

from math import sqrt
from statistics import NormalDist
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

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


def accuracy_interval(accuracy: float, images: float, confidence: float = 1 - ALPHA) -> Interval:
    """How precisely an accuracy on that many images is known, as if they were drawn at random (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (accuracy + z**2 / (2 * images)) / (1 + z**2 / images)
    half = z * sqrt(accuracy * (1 - accuracy) / images + z**2 / (4 * images**2)) / (1 + z**2 / images)
    return Interval(
        estimate=accuracy, low=centre - half, high=centre + half, confidence=confidence,
        method="Wilson's score", n=round(images), unit="fraction",
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


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment: claims with an adjusted p ≤ ALPHA contain an error that often at most."""
    import pandas as pd

    p = pd.Series(p_values, dtype=float).sort_values(kind="stable")
    return (p * np.arange(len(p), 0, -1)).cummax().clip(upper=1).sort_index().tolist()
