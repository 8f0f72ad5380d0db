"""Two ways to train on task B, compared over the same seeds; and families of such comparisons."""

from collections.abc import Sequence
from typing import TypedDict, TypeVar

from tasks.experiment.results.budgets import Band, EquivalentBudget
from tasks.experiment.results.statistics.basics import Errors, Interval, Wins, holm, wins
from tasks.experiment.results.statistics.intervals import error_reduction_interval
from tasks.experiment.results.statistics.verdicts import Claim, claim, difference_p, too_small_p


class Comparison(TypedDict):
    """One way to train against another one, the baseline, over the same seeds. Accuracies: 1 − the mean errors.

    p: of "no difference"; p_holm: adjusted for its family; p_too_small: of "a difference that matters".
    """

    baseline_accuracy: float
    accuracy: float
    error_reduction: Interval
    pairs: Wins
    p: float
    p_holm: float
    p_too_small: float
    verdict: Claim


class ArmComparison(Comparison):
    arm: str


class ArmComparisons(TypedDict):
    """Each arm against scratch; transfer against each of the other arms; self-transfer's share of transfer's gain."""

    against_scratch: list[ArmComparison]
    transfer_against: list[ArmComparison]
    self_share: Interval | None


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


AnyComparison = TypeVar("AnyComparison", bound=Comparison)


def compare(baseline: Errors, other: Errors) -> Comparison:
    """`other` against `baseline`, errors of shape (seeds,), judged by itself: a family of one."""
    result = error_reduction_interval(baseline, other)
    p, p_too_small = float(difference_p(baseline, other)), float(too_small_p(baseline, other))
    return Comparison(
        baseline_accuracy=float(1 - baseline.mean()), accuracy=float(1 - other.mean()), error_reduction=result,
        pairs=wins(baseline, other), p=p, p_holm=p, p_too_small=p_too_small, verdict=claim(result, p, p_too_small),
    )  # fmt: skip


def judge_together(family: Sequence[AnyComparison]) -> list[AnyComparison]:
    """A family of comparisons, each judged by its p's as Holm adjusts them for all of them."""
    adjusted = (holm([comparison[name] for comparison in family]) for name in ("p", "p_too_small"))
    for comparison, p, p_too_small in zip(family, *adjusted, strict=True):
        comparison["p_holm"], comparison["verdict"] = p, claim(comparison["error_reduction"], p, p_too_small)
    return list(family)
