"""What pairs allow to claim: one rule for the flow, the study, and each look of a run that stops early.

The test is the paired t-test, of which the interval is the inversion. It takes errors for normal, which few pairs can't
show. So p is never below what it takes no assumption for: that one arm wins all n pairs by chance, 1 in 2ⁿ⁻¹.

Errors have the shape (…, pairs); leading axes are separate studies, for simulations.
"""

from math import ceil, log2
from typing import Any, Literal

import numpy as np

from tasks.experiment.results.statistics.basics import ALPHA, Errors, Interval
from tasks.experiment.results.statistics.intervals import EQUAL, moments, standard_error

Claim = Literal["helps", "hurts", "can't tell", "too small to matter"]
TOO_SMALL = 5.0  # percent: a smaller change of the error does not matter to anyone
RULE = (
    f"*too small to matter* if two one-sided t-tests show that the change is within ± {TOO_SMALL:.0f} % "
    f"(p ≤ {ALPHA / 2}); *helps* or *hurts* if the paired t-test gives p ≤ {ALPHA}, where p is never taken to be below "
    "what a win in every pair has by chance; else *can't tell*"
)


def fewest_pairs(comparisons: int = 1, alpha: float = ALPHA) -> int:
    """Below so many pairs nothing can be claimed of any of so many comparisons (by Holm), whatever comes out."""
    return 1 + ceil(log2(comparisons / alpha))


def difference_p(scratch: Errors, transfer: Errors) -> Any:
    """p of "both means are equal", two-sided, shape (…)."""
    from scipy.stats import t

    n = scratch.shape[-1]
    if n < 2:
        return np.ones(scratch.shape[:-1])
    return np.maximum(2 * t.sf(np.abs(t_statistic(scratch, transfer, 1)), n - 1), 2.0 ** (1 - n))


def too_small_p(scratch: Errors, transfer: Errors, margin: float = TOO_SMALL) -> Any:
    """p of "the error reduction is at least `margin` percent, in either direction", shape (…).

    Two one-sided t-tests (Schuirmann 1987): p ≤ 0.025 exactly where the 95 % interval lies within ± margin.
    """
    from scipy.stats import t

    n = scratch.shape[-1]
    if n < 2:
        return np.ones(scratch.shape[:-1])
    above = t_statistic(scratch, transfer, 1 + margin / 100)  # negative: transfer's error is below this
    below = t_statistic(scratch, transfer, 1 - margin / 100)
    return np.maximum(t.sf(np.minimum(-above, below), n - 1), 2.0**-n)


def t_statistic(scratch: Errors, transfer: Errors, ratio: float) -> Errors:
    """Of "transfer's mean error is `ratio` times that of scratch", shape (…); huge where nothing varies."""
    mean, covariance = moments(scratch, transfer)
    error, gap = standard_error(covariance, ratio), mean[1] - ratio * mean[0]
    gap = np.where(np.abs(gap) < EQUAL, 0, gap)
    return gap / np.maximum(error, EQUAL**2)


def claim(result: Interval, p: float, p_too_small: float, alpha: float = ALPHA) -> Claim:
    """The rule. Of a family of comparisons, each p is the one that Holm adjusted for it.

    - "too small to matter": p_too_small ≤ alpha / 2. For one comparison: its interval lies within ± TOO_SMALL;
    - "helps" or "hurts": p ≤ alpha. For one comparison: its interval lies above or below zero;
    - "can't tell": anything else, fewer than `fewest_pairs`, or no interval.
    """
    if result["estimate"] is None or result["low"] is None:
        return "can't tell"
    if p_too_small <= alpha / 2:
        return "too small to matter"
    if p <= alpha:
        return "helps" if result["estimate"] > 0 else "hurts"
    return "can't tell"
