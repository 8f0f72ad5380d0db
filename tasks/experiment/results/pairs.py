"""Pairs: scratch and transfer of one seed, and what several of them come to."""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np

from tasks.experiment.results.statistics.basics import (
    ALPHA,
    Errors,
    Interval,
    McNemar,
    Wins,
    error_reduction,
    wins,
)
from tasks.experiment.results.statistics.planning import advice
from tasks.experiment.results.statistics.sequential import Look, look_at, told
from tasks.experiment.results.statistics.verdicts import Claim
from tasks.experiment.scores import Metric, Scores


class Replicate(TypedDict):
    """The pair of one seed. weights: digests of A, B_scratch and B_on_A, where they are kept."""

    seed: int
    scratch: Scores
    transfer: Scores
    error_reduction: float | None
    weights: NotRequired[dict[str, str]]


class Results(TypedDict):
    """All pairs, and what they come to.

    error_reduction: with its interval for new seeds on the same test images; new_images: with that for new test images
    too, None where single answers were not kept, or where the error is no mean over images. advice: what would help
    where `claim` is "can't tell". mcnemar: of a single pair, None if there are several, or if its error is not
    1 − accuracy.
    """

    replicates: list[Replicate]
    error_reduction: Interval
    new_images: Interval | None
    claim: Claim
    advice: str | None
    pairs: Wins
    mcnemar: McNemar | None


def replicate(seed: int, scratch: Scores, transfer: Scores, metric: Metric = "accuracy") -> Replicate:
    """The pair of one seed, with its error reduction in percent."""
    pair = Replicate(seed=seed, scratch=scratch, transfer=transfer, error_reduction=None)
    return pair | {"error_reduction": error_reduction(*errors([pair], metric))}


def summarize(
    replicates: list[Replicate],
    look: Look | None = None,
    new_images: Interval | None = None,
    mcnemar: McNemar | None = None,
    metric: Metric = "accuracy",
) -> Results:
    """What the pairs come to. look: of several, if a run stops early. mcnemar: the test of a single pair."""
    scratch, transfer = errors(replicates, metric)
    if new_images:  # made at the look's level, so that it is valid whenever a run stops
        new_images = new_images | {"confidence": 1 - ALPHA}
    says, interval = look_at(scratch, transfer, look or Look(pairs=len(scratch), most=len(scratch), level=ALPHA))
    return Results(
        replicates=replicates, error_reduction=interval, new_images=new_images, claim=says,
        advice=advice(scratch, transfer) if says == "can't tell" else None,
        pairs=wins(scratch, transfer), mcnemar=mcnemar,
    )  # fmt: skip


def log_look(log: Any, results: Results, look: Look) -> bool:
    """Whether the pairs so far can tell. The log says what was seen, and why a run that may stop early goes on."""
    if look.level < ALPHA:
        log.info(told(look, results["claim"], results["error_reduction"]))
    return results["claim"] != "can't tell"


def errors(replicates: Sequence[Replicate], metric: Metric = "accuracy") -> tuple[Errors, Errors]:
    """Errors of scratch and of transfer, each of shape (pairs,): 1 − the metric."""
    scratch = np.array([1 - replicate["scratch"][metric] for replicate in replicates])
    return scratch, np.array([1 - replicate["transfer"][metric] for replicate in replicates])
