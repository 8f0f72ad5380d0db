"""Pairs: scratch and transfer of one seed, and what several of them come to."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import numpy as np

from tasks.experiment.results.scores import Scores
from tasks.experiment.results.statistics import (
    Errors,
    Interval,
    McNemar,
    Wins,
    error_reduction,
    error_reduction_interval,
    wins,
)


class Replicate(TypedDict):
    """The pair of one seed. weights: digests of A, B_scratch and B_on_A, where they are kept."""

    seed: int
    scratch: Scores
    transfer: Scores
    error_reduction: float | None
    weights: NotRequired[dict[str, str]]


class Results(TypedDict):
    """All pairs, and what they come to. mcnemar: of a single pair, None if there are several."""

    replicates: list[Replicate]
    error_reduction: Interval
    pairs: Wins
    mcnemar: McNemar | None


def replicate(seed: int, scratch: Scores, transfer: Scores) -> Replicate:
    """The pair of one seed, with its error reduction in percent."""
    pair = Replicate(seed=seed, scratch=scratch, transfer=transfer, error_reduction=None)
    return pair | {"error_reduction": error_reduction(*errors([pair]))}


def summarize(replicates: list[Replicate], mcnemar: McNemar | None = None) -> Results:
    """What the pairs come to. mcnemar: the test of a single pair."""
    scratch, transfer = errors(replicates)
    interval = error_reduction_interval(scratch, transfer)
    return Results(replicates=replicates, error_reduction=interval, pairs=wins(scratch, transfer), mcnemar=mcnemar)


def errors(replicates: Sequence[Replicate]) -> tuple[Errors, Errors]:
    """Errors of scratch and of transfer, each of shape (pairs,)."""
    scratch = np.array([1 - replicate["scratch"]["accuracy"] for replicate in replicates])
    return scratch, np.array([1 - replicate["transfer"]["accuracy"] for replicate in replicates])
