"""Does the answer still stand? A night's result beside those of the nights before it.

A night is a run that recomputed everything; only nights of the same experiment and the same seeds are compared. A seed
that is hard every night is no sign of a change. What varies beside seeds and nights is chance (randomized blocks,
two-way analysis of variance), and gives a prediction interval for tonight.
"""

from math import pi
from statistics import median
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.statistics.verdicts import TOO_SMALL

LEVEL = 0.003  # of Student's t. Errors are not quite normal: in simulations 1 night in 100 to 250 is outside


class Night(BaseModel):
    """One night's result: error reduction in percent with its interval, the weights' digests, what made them.

    scratch, transfer: test errors of each pair, fractions of 1.
    """

    model_config = ConfigDict(frozen=True)
    run: str
    date: str
    estimate: float | None
    low: float | None
    high: float | None
    scratch: list[float]
    transfer: list[float]
    weights: list[dict[str, str]]
    made_with: dict[str, str]


class Verdict(BaseModel):
    """What a night says about the nights before it, and why, in one sentence."""

    model_config = ConfigDict(frozen=True)
    name: Literal["First", "Reproduced", "Drifted", "Regressed"]
    reason: str


def judge(tonight: Night, earlier: list[Night]) -> Verdict:
    """Regressed: outside the range to be expected. Reproduced: the same weights as last night. Drifted: the rest."""
    if not earlier:
        return Verdict(name="First", reason="There is no earlier night with these settings to compare with.")
    last = earlier[-1]
    since = f"Changed since {last.run}: {', '.join(changes(last, tonight)) or 'nothing in code or versions'}."
    expected = expected_tonight(tonight, earlier)
    if tonight.estimate is None or expected is None:
        answer = "Whether the answer moved can't be told: it takes two pairs and a scratch error."
    else:
        low, high = expected
        place = "inside" if low <= tonight.estimate <= high else "outside"
        answer = f"Error reduction {tonight.estimate:.1f} % is {place} the expected {low:.1f} … {high:.1f} %."
        if place == "outside":
            return Verdict(name="Regressed", reason=f"{answer} {since}")
    if tonight.weights == last.weights:
        return Verdict(name="Reproduced", reason=f"The same weights as in {last.run}, bit for bit.")
    return Verdict(name="Drifted", reason=f"Other weights than in {last.run}. {answer} {since}")


def expected_tonight(tonight: Night, earlier: list[Night]) -> tuple[float, float] | None:
    """(low, high) of tonight's error reduction in percent, if nothing but chance changed; None if that can't be told.

    Nights with the same weights count once, and those with tonight's weights tell nothing of chance. One whose scratch
    networks made no error has no error reduction to compare with.
    """
    known = [(night, night.estimate) for night in earlier if night.estimate is not None]
    others = {str(night.weights): night for night, _ in known if night.weights != tonight.weights}
    if tonight.estimate is None or not others:
        return None
    scratch, transfer = (
        np.array([getattr(night, arm) for night in (*others.values(), tonight)]) for arm in ("scratch", "transfer")
    )
    low, high = expected_range(scratch, transfer, np.array(median(estimate for _, estimate in known)))
    return (float(low), float(high)) if np.isfinite(low) else None


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


def changes(before: Night, after: Night) -> list[str]:
    """What made the results and has changed: versions as `keras 3.14 → 3.15`, modules by name."""
    named = []
    for name in sorted(before.made_with.keys() | after.made_with.keys()):
        old, new = before.made_with.get(name), after.made_with.get(name)
        if old != new:
            is_code = name.split(".")[0] == "tasks"
            named.append(name if is_code else f"{name} {old or 'not used'} → {new or 'not used'}")
    return named
