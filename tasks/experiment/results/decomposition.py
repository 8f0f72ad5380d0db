"""What a gain consists of: arms that take over more and more of A, from nothing to its hidden layers as they are."""

from typing import TypedDict

from tasks.experiment.results.differences import Difference
from tasks.experiment.results.statistics import Interval

# What each arm of a chain adds to the one before it.
PARTS = ("scale", "inputs", "labels")


class Part(Difference):
    """share: of the total, in percent; None unless these seeds show that there is a total."""

    part: str
    share: Interval | None


class Decomposition(TypedDict):
    """Exploratory: the parts' p are Holm's. The points of the parts add up to the total's exactly."""

    total: Difference
    parts: list[Part]


class Step(Difference):
    """One test of a fixed sequence. reached: all tests before it said "helps"; else its verdict is "can't tell"."""

    reached: bool
