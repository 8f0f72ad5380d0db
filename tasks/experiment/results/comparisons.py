"""Two ways to train on task B, compared over the same seeds; and the study, which is made of such comparisons."""

from collections.abc import Callable, Sequence
from typing import NotRequired, TypedDict, TypeVar

from tasks.experiment.results.budgets import Band, EquivalentBudget
from tasks.experiment.results.statistics import (
    Errors,
    Interval,
    Wins,
    error_reduction_interval,
    holm,
    wilcoxon_p,
    wins,
)
from tasks.experiment.results.verdicts import Claim, verdict


class Comparison(TypedDict):
    """One way to train against another one, the baseline, over the same seeds. p_holm: p adjusted for its family."""

    baseline_accuracy: float
    accuracy: float
    error_reduction: Interval
    pairs: Wins
    p: float
    p_holm: float
    verdict: Claim


class ArmComparison(Comparison):
    arm: str


class ArmComparisons(TypedDict):
    """Each arm against scratch; and transfer against each of the other arms."""

    against_scratch: list[ArmComparison]
    transfer_against: list[ArmComparison]


class BudgetComparison(Comparison):
    """Transfer against scratch with `samples` images, and either arm's mean."""

    samples: int
    scratch: Band
    transfer: Band


class BudgetComparisons(TypedDict):
    """The learning curve, and what transfer with `at` images is worth."""

    at: int
    curve: list[BudgetComparison]
    equivalent: EquivalentBudget


class PixelComparison(Comparison):
    comparison: str


class ClassComparison(Comparison):
    negative: str
    positive: str


class Study(TypedDict):
    """The study's answers by question: does transfer help, what helps, what is it worth in labels, and where?"""

    help: Comparison
    arms: ArmComparisons
    labels: BudgetComparisons
    pixels: NotRequired[list[PixelComparison]]
    classes: NotRequired[list[ClassComparison]]


AnyComparison = TypeVar("AnyComparison", bound=Comparison)


def compare(
    baseline: Errors,
    other: Errors,
    interval: Callable[[Errors, Errors], Interval] = error_reduction_interval,
    test: Callable[[Errors, Errors], float] = wilcoxon_p,
) -> Comparison:
    """`other` against `baseline`, errors of shape (seeds,), judged by itself: a family of one."""
    result, p = interval(baseline, other), test(baseline, other)
    return Comparison(
        baseline_accuracy=float(1 - baseline.mean()), accuracy=float(1 - other.mean()), error_reduction=result,
        pairs=wins(baseline, other), p=p, p_holm=p, verdict=verdict(result, p),
    )  # fmt: skip


def judge_together(family: Sequence[AnyComparison]) -> list[AnyComparison]:
    """A family of comparisons, each judged by its p as Holm adjusts it for all of them."""
    for comparison, p in zip(family, holm([comparison["p"] for comparison in family]), strict=True):
        comparison["p_holm"], comparison["verdict"] = p, verdict(comparison["error_reduction"], p)
    return list(family)
