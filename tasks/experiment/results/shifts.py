"""Did the answer move? Where tonight's error reduction is to be expected if nothing changed but chance.

Nights have the same seeds, and a seed that is hard every night is no sign of a change. What varies beside seeds and
nights is chance (randomized blocks, two-way analysis of variance), and gives a prediction interval.
"""

from math import pi

import numpy as np

from tasks.experiment.results.statistics import Errors
from tasks.experiment.results.verdicts import TOO_SMALL

LEVEL = 0.003  # of Student's t. Errors are not quite normal: in simulations 1 night in 100 to 250 is outside


def tonights_range(tonight: Errors, earlier: Errors) -> tuple[float, float] | None:
    """(low, high) of tonight's error reduction in percent; None if there is no chance to judge by.

    Errors of scratch and transfer, tonight's of shape (2, pairs), (nights, 2, pairs) of the nights before; some scratch
    error in each. The middle is their median, so that one odd night moves it little, and a new level becomes the normal
    one when most nights have it. But nights with the same errors have the same weights, and show chance only once.
    """
    others = np.unique(earlier, axis=0)
    others = others[(others != tonight).any((1, 2))]
    if not len(others) or tonight.shape[1] < 2:
        return None
    centre = np.median(100 * (1 - earlier[:, 1].mean(-1) / earlier[:, 0].mean(-1)))
    scratch, transfer = np.concatenate([others, tonight[None]]).swapaxes(0, 1)
    low, high = expected_range(scratch, transfer, centre)
    return float(low), float(high)


def expected_range(scratch: Errors, transfer: Errors, centre: Errors) -> tuple[Errors, Errors]:
    """(low, high) of tonight's error reduction in percent, around `centre`, shape (…).

    Errors of shape (…, nights, pairs), two pairs or more: of nights with weights of their own, tonight last.
    """
    from scipy.stats import t

    earlier, pairs = scratch.shape[-2] - 1, scratch.shape[-1]
    degrees = earlier * (pairs - 1)
    ratio = (transfer[..., :-1, :].mean((-2, -1)) / scratch[..., :-1, :].mean((-2, -1)))[..., None, None]
    points = 100 * (ratio * scratch - transfer) / scratch.mean(-1, keepdims=True)
    by_seed, by_night = points.mean(-2, keepdims=True), points.mean(-1, keepdims=True)
    chance = points - by_seed - by_night + points.mean((-2, -1), keepdims=True)
    variance = (chance**2).sum((-2, -1)) / degrees / pairs
    # of tonight, and of the median of the nights before: at most π / 2 times as much as of their mean
    half = t.ppf(1 - LEVEL / 2, degrees) * np.sqrt(variance * (1 + pi / 2 / earlier))
    half = np.maximum(half, TOO_SMALL)  # a smaller move does not matter to anyone
    return centre - half, centre + half
