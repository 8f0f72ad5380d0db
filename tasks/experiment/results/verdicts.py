"""What a study claims of a comparison, and the rule for it."""

from typing import Literal

from tasks.experiment.results.statistics import ALPHA, Interval

Claim = Literal["helps", "hurts", "can't tell", "too small to matter"]
TOO_SMALL = 5.0  # percent: a smaller change of the error does not matter to anyone
RULE = (
    f"*too small to matter* if the 95 % interval lies within ± {TOO_SMALL:.0f} %; "
    f"*helps* or *hurts* if it lies above or below zero and p ≤ {ALPHA}; else *can't tell*"
)


def verdict(result: Interval, p: float) -> Claim:
    """RULE, stated before any study was run, on an error reduction with its 95 % interval and a test's p.

    The test is there because a bootstrap of few pairs is too narrow; Wilcoxon's p of five pairs is 0.06 at least.
    """
    low, high = result["low"], result["high"]
    if low is None or high is None:
        return "can't tell"
    if low > -TOO_SMALL and high < TOO_SMALL:
        return "too small to matter"
    if p <= ALPHA and low > 0:
        return "helps"
    if p <= ALPHA and high < 0:
        return "hurts"
    return "can't tell"
