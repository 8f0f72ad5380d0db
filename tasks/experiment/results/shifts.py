"""Did the answer move? Where tonight's error reduction is to be expected if nothing changed but chance.

Nights have the same seeds, and a seed that is hard every night is no sign of a change. What varies beside seeds and
nights is chance (randomized blocks, two-way analysis of variance), and gives a prediction interval.
"""

from math import pi

import numpy as np

from tasks.experiment.results.statistics import Errors
from tasks.experiment.results.verdicts import TOO_SMALL

LEVEL = 0.003  # of Student's t. Errors are not quite normal: in simulations 1 night in 100 to 250 is outside


def expected_range(scratch: Errors, transfer: Errors, centre: Errors) -> tuple[Errors, Errors]:
    """(low, high) of tonight's error reduction in percent, shape (…); NaN for a single pair, which shows no chance.

    scratch, transfer: errors of shape (…, nights, pairs), tonight last; the nights before it have weights of their own
    (nights with the same weights count once). centre: the median error reduction of all the nights before, shape (…).
    """
    from scipy.stats import t

    earlier, pairs = scratch.shape[-2] - 1, scratch.shape[-1]
    degrees = earlier * (pairs - 1)
    if degrees == 0:
        return np.full_like(centre, np.nan), np.full_like(centre, np.nan)
    ratio = (transfer[..., :-1, :].mean((-2, -1)) / scratch[..., :-1, :].mean((-2, -1)))[..., None, None]
    points = 100 * (ratio * scratch - transfer) / scratch.mean(-1, keepdims=True)
    by_seed, by_night = points.mean(-2, keepdims=True), points.mean(-1, keepdims=True)
    chance = points - by_seed - by_night + points.mean((-2, -1), keepdims=True)
    variance = (chance**2).sum((-2, -1)) / degrees / pairs
    # of tonight, and of the median of the nights before: at most π / 2 times as much as of their mean
    half = t.ppf(1 - LEVEL / 2, degrees) * np.sqrt(variance * (1 + pi / 2 / earlier))
    half = np.maximum(half, TOO_SMALL)  # a smaller move does not matter to anyone
    return centre - half, centre + half
