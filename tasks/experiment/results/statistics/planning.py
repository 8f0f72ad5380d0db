"""How many pairs it takes: to see an effect, or to know it to within so many points. From pairs that were seen.

The fewer pairs were seen, the rougher the plan: DECISIONS.md tells how rough. Errors: shape (pairs,), fractions of 1.
"""

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.results.statistics.basics import ALPHA, Errors, error_reduction
from tasks.experiment.results.statistics.intervals import EQUAL, FEWEST, fieller, moments, standard_error
from tasks.experiment.results.statistics.verdicts import fewest_pairs

MOST = 1000  # pairs: what a run may have
POWER = 0.9  # in so many of such studies the effect is to be seen


def pairs_to_see(
    scratch: Errors, transfer: Errors, effect: float | None = None, power: float = POWER, comparisons: int = 1
) -> int | None:
    """The fewest pairs whose t-test sees an error reduction of `effect` percent (None: the one seen) so often.

    comparisons: how many are made together (by Holm, of which this is the worst case). None: more than MOST.
    """
    seen = error_reduction(scratch, transfer)
    if len(scratch) < 2 or seen is None or seen == 100 or (seen if effect is None else effect) == 0:
        return None
    if effect is not None:  # as if transfer's errors were that much larger or smaller
        transfer = transfer * (1 - effect / 100) / (1 - seen / 100)
    pairs = np.arange(fewest_pairs(comparisons), MOST + 1)
    enough = pairs[power_of(pairs, scratch, transfer, ALPHA / comparisons) >= power]
    return int(enough[0]) if len(enough) else None


def power_of(pairs: NDArray[np.int64], scratch: Errors, transfer: Errors, alpha: float = ALPHA) -> Errors:
    """How often so many pairs that are spread like these show the mean difference of these, at level alpha."""
    from scipy.stats import nct, t

    mean, covariance = moments(scratch, transfer)
    size = abs(mean[0] - mean[1]) / max(standard_error(covariance, 1) * np.sqrt(len(scratch)), 1e-9)
    critical = t.ppf(1 - alpha / 2, pairs - 1)
    return np.asarray(nct.sf(critical, pairs - 1, np.minimum(size * np.sqrt(pairs), 30)))  # 30: always, and computable


def pairs_for_width(scratch: Errors, transfer: Errors, half_width: float, confidence: float = 1 - ALPHA) -> int | None:
    """The fewest pairs whose interval of the error reduction is about ± half_width percent; None: more than MOST."""
    from scipy.stats import t

    if len(scratch) < 2:
        return None
    pairs = np.arange(FEWEST, MOST + 1)
    mean, covariance = moments(scratch, transfer)
    low, high = fieller(
        mean[:, None], covariance[:, :, None] * len(scratch) / pairs, t.ppf((1 + confidence) / 2, pairs - 1)
    )
    enough = pairs[50 * (high - low) <= half_width]
    return int(enough[0]) if len(enough) else None


def advice(scratch: Errors, transfer: Errors, comparisons: int = 1) -> str:
    """What to do where these pairs can't tell, in one sentence."""
    n, needed = len(scratch), pairs_to_see(scratch, transfer, comparisons=comparisons)
    said = f"{n} {'pair' if n == 1 else 'pairs'} can't tell"
    if n > 1 and max(np.ptp(scratch), np.ptp(transfer)) < EQUAL:
        return f"{said}, since they agree to the last digit: give more test images, on which they can differ."
    if needed is None and n < FEWEST:
        return f"{said}; {fewest_pairs(comparisons)} are the fewest that could."
    if needed is None:
        return f"{said}; even {MOST:,} would hardly see an effect of this size."
    if needed <= n:  # they have no interval, or were compared with more others than the plan knows
        return f"{said}."
    return f"{said}; about {needed} would see an effect of this size in 9 of 10 studies."
