"""Runs that know when to stop: pairs are added in steps and looked at after each, until they can tell.

Each look spends a part of the 5 % that all of them together may err (Lan & DeMets 1983), α · (pairs / most)² of it in
all up to a look (Kim & DeMets 1987). That gives each look its level, at which it makes the t-test and its interval as
ever (Jennison & Turnbull 2000, "Group Sequential Methods", chapters 4, 7 and 9). So the interval of whichever look is
the last is a repeated confidence interval: it covers with 95 %, however it was decided when to stop.
"""

import numpy as np

from tasks.experiment.results.statistics.basics import ALPHA, Errors, Interval
from tasks.experiment.results.statistics.intervals import METHOD, error_reduction_interval
from tasks.experiment.results.statistics.verdicts import Claim, claim, difference_p, too_small_p
from tasks.storage.artifacts import Handle

# Pairs; from 1,000 on as from 100 on.
STEPS = (
    10, 15, 20, 29, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800,
    1000, 1500, 2000, 3000, 4000, 6000, 8000, 10_000, 15_000, 20_000, 30_000, 40_000, 60_000, 80_000,
)  # fmt: skip


class Look(Handle):
    """One look of several: after how many pairs of at most how many, and at which two-sided level."""

    pairs: int
    most: int
    level: float

    @property
    def is_last(self) -> bool:
        return self.pairs == self.most


def looks(most: int, *, stop_early: bool = True, alpha: float = ALPHA) -> tuple[Look, ...]:
    """When a run of at most `most` pairs is looked at: several times if it may stop early, else at its end.

    Without an effect, a direction is claimed in alpha of the runs, over all looks together.
    """
    after = [*(pairs for pairs in STEPS if pairs < most and stop_early), most]
    return tuple(
        Look(pairs=pairs, most=most, level=level) for pairs, level in zip(after, levels(after, alpha), strict=True)
    )


def levels(after: list[int], alpha: float = ALPHA) -> list[float]:
    """The looks' two-sided levels, by integrating what is still undecided from look to look.

    The sum of the differences so far is a random walk, in units of one difference's standard deviation. `density` is
    that of the sums within the last look's bounds, at Gauss–Legendre's nodes.
    """
    if len(after) == 1:
        return [alpha]
    from scipy.optimize import brentq
    from scipy.stats import norm

    nodes, weights = np.polynomial.legendre.leggauss(96)
    spent = alpha * (np.array(after) / after[-1]) ** 2
    sums, density, found = np.zeros(1), np.ones(1), []
    for pairs, step, spend in zip(after, np.diff([0, *after]), np.diff([0, *spent]), strict=True):
        leaves = norm(sums, np.sqrt(step))
        bound = brentq(lambda b: density @ (leaves.sf(b) + leaves.cdf(-b)) - spend, 0, 12 * np.sqrt(pairs))  # noqa: B023
        found.append(float(2 * norm.sf(bound / np.sqrt(pairs))))
        inside = bound * nodes
        density = bound * weights * (density @ norm.pdf(inside, sums[:, None], np.sqrt(step)))
        sums = inside
    return found


def look_at(scratch: Errors, transfer: Errors, look: Look) -> tuple[Claim, Interval]:
    """What the first `look.pairs` pairs say, with an interval that is valid if the run stops here.

    "can't tell" means: go on, unless this look is the last one.
    """
    pairs = scratch[: look.pairs], transfer[: look.pairs]
    result = error_reduction_interval(*pairs, confidence=1 - look.level)
    says = claim(result, float(difference_p(*pairs)), float(too_small_p(*pairs)), look.level)
    if result["low"] is not None and look.level < ALPHA:
        result["method"] = f"{METHOD}, repeated: {100 * (1 - look.level):.2f} % at this look"
    return says, result | {"confidence": 1 - ALPHA}


def told(look: Look, says: Claim, result: Interval) -> str:
    """For the log: what a look saw, and whether and why the run goes on."""
    saw = f"After {look.pairs} of at most {look.most} pairs"
    if result["low"] is not None and result["high"] is not None:
        saw += f": error reduction {result['estimate']:.1f} % ({result['low']:.1f} … {result['high']:.1f} %)"
    if says != "can't tell":
        return f"{saw}. That is enough: {says}."
    return f"{saw}. These can't tell" + ("." if look.is_last else ": more pairs are added.")
