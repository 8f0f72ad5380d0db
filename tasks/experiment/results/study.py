"""The study's answers by question."""

from typing import NotRequired, TypedDict

from tasks.experiment.results.comparisons import (
    ArmComparisons,
    BudgetComparisons,
    ClassComparison,
    Comparison,
    PixelComparison,
)
from tasks.experiment.results.tuned import Tuned


class Study(TypedDict):
    """Does transfer help, what helps, what is it worth in labels, and where? And with both sides trained well?"""

    help: Comparison
    arms: ArmComparisons
    labels: BudgetComparisons
    pixels: NotRequired[list[PixelComparison]]
    classes: NotRequired[list[ClassComparison]]
    tuned: NotRequired[Tuned]
