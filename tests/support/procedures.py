"""Simulated procedures: runs that stop by themselves, answers on test images, learning curves, nights."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from tasks.experiment.results.nights import expected_range
from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.statistics.sequential import looks
from tests.support.studies import Pairs, World, bounds, claims


class Stopped(NamedTuple):
    """Of each simulated run: after how many pairs it stopped, what it says, and the interval that it reports."""

    pairs: NDArray[np.int64]
    says: NDArray[np.str_]
    low: Errors
    high: Errors


def run_until_told(scratch: Errors, transfer: Errors) -> Stopped:
    """Runs that may have all these pairs, shape (runs, pairs), looked at as `sequential.looks` has it."""
    runs, most = scratch.shape
    stopped = Stopped(np.zeros(runs, int), np.full(runs, "can't tell", object), np.zeros(runs), np.zeros(runs))
    going = np.arange(runs)
    for look in looks(most):
        seen = scratch[going, : look.pairs], transfer[going, : look.pairs]
        says = claims(*seen, look.level)
        stopped.pairs[going], stopped.says[going] = look.pairs, says
        stopped.low[going], stopped.high[going] = bounds(*seen, look.level)
        going = going[says == "can't tell"]
    return stopped


def wrong_answers(rng: np.random.Generator, seeds: int, images: int) -> tuple[NDArray[np.bool_], float]:
    """Both arms' wrong answers, shape (2, seeds, images), and their true error reduction in percent.

    An answer is wrong where the image's difficulty, the seed's bad luck and the chance of both add up to too much. The
    parts are such that errors vary over seeds, and seeds agree on images, about as the real ones do.
    """
    of_seed, of_image, of_both = np.array([[0.12], [0.09]]), 0.9, np.sqrt(1 - 0.9**2)
    limits = norm.isf([0.117, 0.0875]) * np.sqrt(1 + of_seed[:, 0] ** 2)
    luck = of_seed * rng.standard_normal((2, seeds))
    difficulty = np.sqrt(0.94) * rng.standard_normal(images) + np.sqrt(0.06) * rng.standard_normal((2, images))
    chance = of_both * rng.standard_normal((2, seeds, images))
    wrong = luck[:, :, None] + of_image * difficulty[:, None, :] + chance > limits[:, None, None]
    return wrong, 100 * (1 - 0.0875 / 0.117)


BUDGETS = np.array([20, 50, 100, 200, 400, 1000, 2000])


def learning_curve(rng: np.random.Generator, seeds: int, worth: float) -> Pairs:
    """Scratch by number of images, (budgets, seeds), and transfer, (seeds,), whose mean is that of `worth` images."""
    curve = 0.4 * (BUDGETS / 20) ** -0.45
    own = 1 + 0.15 * rng.standard_normal(seeds) + 0.15 * rng.standard_normal((len(BUDGETS), seeds))
    goal = np.interp(np.log(worth), np.log(BUDGETS), curve)
    return curve[:, None] * own, goal * (1 + 0.15 * rng.standard_normal(seeds))


def nights_outside(scratch: Errors, transfer: Errors, tonight: Pairs | None = None) -> NDArray[np.bool_]:
    """Whether each night after the first one is outside its expected range, shape (histories, nights − 1).

    Errors of shape (histories, nights, pairs). tonight: what the nights come to that are judged, if something else.
    """
    outside = []
    for night in range(1, scratch.shape[1]):
        judged = [
            np.concatenate([errors[:, :night], (now if tonight else errors)[:, night : night + 1]], axis=1)
            for errors, now in zip((scratch, transfer), tonight or (scratch, transfer), strict=True)
        ]
        reductions = 100 * (1 - judged[1].mean(-1) / judged[0].mean(-1))
        low, high = expected_range(*judged, np.median(reductions[:, :-1], axis=1))
        outside.append((reductions[:, -1] < low) | (reductions[:, -1] > high))
    return np.stack(outside, axis=1)


def same_seeds(
    rng: np.random.Generator, world: World, shape: tuple[int, int, int], noise: float, effect: float
) -> Pairs:
    """Nights of the same seeds, whose errors differ by `noise` images from night to night.

    shape: (histories, nights, pairs).
    """
    histories, _, pairs = shape
    errors = world(rng, (histories, 1, pairs), effect)
    scratch, transfer = (e + np.round(noise * rng.standard_normal(shape)) / 2000 for e in errors)
    return scratch, transfer
