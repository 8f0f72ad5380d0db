"""From pairs to claims: error reduction with its interval. Errors are arrays of shape (pairs,), fractions of 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 9_999
METHOD = f"paired percentile bootstrap of the ratio of means, {RESAMPLES:,} resamples"


def error_reduction(scratch: NDArray[np.float64], transfer: NDArray[np.float64]) -> float | None:
    """1 − mean transfer error / mean scratch error, in percent; None where scratch makes no error."""
    return None if np.mean(scratch) == 0 else float(100 * (1 - np.mean(transfer) / np.mean(scratch)))


def error_reduction_interval(
    scratch: NDArray[np.float64], transfer: NDArray[np.float64], confidence: float = 0.95
) -> dict[str, Any]:
    """Ratio-of-means error reduction in percent with its interval; one pair has none, and says so.

    The resampling has a fixed seed of its own: the same pairs give the same interval.
    """
    n = len(scratch)
    summary: dict[str, Any] = {
        "estimate": error_reduction(scratch, transfer),
        "low": None,
        "high": None,
        "confidence": confidence,
    }
    summary |= {"method": "none: it takes two pairs and a scratch error", "n": n, "unit": "percent"}
    if n < 2 or summary["estimate"] is None:
        return summary
    from scipy.stats import bootstrap

    def statistic(s: NDArray[np.float64], t: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return 100 * (1 - t.mean(axis) / s.mean(axis))

    interval = bootstrap(
        (scratch, transfer), statistic, paired=True, vectorized=True, n_resamples=RESAMPLES,
        confidence_level=confidence, method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    low, high = (float(bound) if np.isfinite(bound) else None for bound in interval)
    return summary | {"low": low, "high": high, "method": METHOD}


def wins(scratch: NDArray[np.float64], transfer: NDArray[np.float64]) -> dict[str, Any]:
    """How often transfer was better; P(transfer better) counts a tie as half."""
    better, ties = int(np.sum(transfer < scratch)), int(np.sum(transfer == scratch))
    return {"wins": better, "ties": ties, "n": len(scratch), "p_transfer_better": (better + ties / 2) / len(scratch)}


def mcnemar(scratch_right: NDArray[np.bool_], transfer_right: NDArray[np.bool_]) -> dict[str, Any]:
    """McNemar's exact test of one pair on the same images: is one right more often where they disagree?"""
    from scipy.stats import binomtest

    only_scratch = int(np.sum(scratch_right & ~transfer_right))
    only_transfer = int(np.sum(~scratch_right & transfer_right))
    disagreements = only_scratch + only_transfer
    p = binomtest(only_transfer, disagreements).pvalue if disagreements else 1.0
    return {"only_scratch_right": only_scratch, "only_transfer_right": only_transfer, "p_value": float(p)}
