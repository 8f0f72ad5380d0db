"""What a gain consists of: a chain of arms that take over more and more of A, from nothing to its hidden layers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypedDict

from tasks.experiment.results.comparisons import judge_together
from tasks.experiment.results.statistics.basics import Errors, Interval
from tasks.experiment.results.statistics.differences import Difference, difference
from tasks.experiment.results.statistics.intervals import share_of

PARTS = ("scale", "inputs", "labels")  # what each arm of a chain adds to the one before it


class Part(Difference):
    """share: of the total, in percent; None unless these seeds show that there is a total."""

    part: str
    share: Interval | None


class Decomposition(TypedDict):
    """The points of the parts add up to the total's exactly. The parts are judged together, by Holm."""

    total: Difference
    parts: list[Part]


class Step(Difference):
    """One test of a fixed sequence. reached: all tests before it said "helps"; if not, this one claims nothing."""

    reached: bool


def decompose(errors: Mapping[str, Errors], chain: Sequence[str]) -> Decomposition:
    """The gain of the chain's last arm over its first one; errors by arm, over the same seeds.

    If an arm between them is missing, what it and the next one add is one part.
    """
    places = [place for place, arm in enumerate(chain) if arm in errors]
    total = errors[chain[0]] - errors[chain[-1]]
    parts = []
    for start, end in pairwise(places):
        before, after = chain[start], chain[end]
        share = share_of(total, errors[before] - errors[after])
        parts.append(
            Part(
                part=" and ".join(PARTS[start:end]), share=None if share["low"] is None else share,
                **difference(errors, before, after),
            )
        )  # fmt: skip
    return Decomposition(total=difference(errors, chain[0], chain[-1]), parts=judge_together(parts))


def fixed_sequence(errors: Mapping[str, Errors], chain: Sequence[str]) -> list[Step]:
    """The chain's last arm against each one before it, in this order, each at 5 %.

    All of them together err in 5 % of studies at most, since the first one that does not say "helps" is the last one
    that claims anything (Maurer, Hothorn & Lehmacher 1995).
    """
    steps: list[Step] = []
    for arm in chain[:-1]:
        if arm in errors:
            reached = all(step["verdict"] == "helps" for step in steps)
            step = Step(reached=reached, **difference(errors, arm, chain[-1]))
            if not reached:
                step["verdict"] = "can't tell"
            steps.append(step)
    return steps
