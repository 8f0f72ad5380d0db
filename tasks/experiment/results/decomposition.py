"""What a gain consists of: a chain of arms that take over more and more of A, from nothing to its hidden layers."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TypedDict

from tasks.experiment.results.comparisons import judge_together
from tasks.experiment.results.statistics.basics import Errors, Interval
from tasks.experiment.results.statistics.differences import Difference, difference
from tasks.experiment.results.statistics.intervals import share_of


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


def decompose(errors: Mapping[str, Errors], chain: Mapping[str, str]) -> Decomposition:
    """The gain of the chain's last arm over its first one; errors by arm, over the same seeds.

    chain: what each arm adds to the one before it. If an arm between the ends is missing, what it and the next one add
    is one part.
    """
    arms, adds = list(chain), list(chain.values())
    places = [place for place, arm in enumerate(arms) if arm in errors]
    total = errors[arms[0]] - errors[arms[-1]]
    parts = []
    for start, end in pairwise(places):
        before, after = arms[start], arms[end]
        share = share_of(total, errors[before] - errors[after])
        parts.append(
            Part(
                part=" and ".join(adds[start + 1 : end + 1]), share=None if share["low"] is None else share,
                **difference(errors, before, after),
            )
        )  # fmt: skip
    return Decomposition(total=difference(errors, arms[0], arms[-1]), parts=judge_together(parts))


def fixed_sequence(errors: Mapping[str, Errors], chain: Iterable[str]) -> list[Step]:
    """The chain's last arm against each one before it, in this order, each at 5 %.

    All of them together err in 5 % of studies at most, since the first one that does not say "helps" is the last one
    that claims anything (Maurer, Hothorn & Lehmacher 1995).
    """
    *others, last = chain
    steps: list[Step] = []
    for arm in others:
        if arm in errors:
            reached = all(step["verdict"] == "helps" for step in steps)
            step = Step(reached=reached, **difference(errors, arm, last))
            if not reached:
                step["verdict"] = "can't tell"
            steps.append(step)
    return steps
