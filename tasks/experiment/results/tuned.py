"""Both sides trained well: the answers of the tuned arms, by question."""

from typing import Any, NotRequired, TypedDict

from tasks.experiment.results.budgets import EquivalentBudget
from tasks.experiment.results.class_pairs import ClassPairs
from tasks.experiment.results.comparisons import BudgetComparisons, judge_together
from tasks.experiment.results.compute import AtSteps
from tasks.experiment.results.decomposition import Decomposition, Step
from tasks.experiment.results.statistics.basics import Errors, Interval
from tasks.experiment.results.statistics.differences import Difference, difference, mean_of
from tasks.experiment.results.statistics.intervals import share_of

NOTEBOOK, CROSS_VALIDATION, VALIDATION_IMAGES = "notebook", "cross-validation", "validation images"


class ChosenRecipe(TypedDict):
    """What tuning chose for an arm at a number of labelled images. chosen_by: CROSS_VALIDATION or VALIDATION_IMAGES.

    learning_rate, epochs: None of a mere probe, which has a penalty instead. edge: which end of the grid it lies at, if
    at any; extended: by how many rates the grid was extended for this arm. seed: whose own recipe it is, if nested.
    """

    classes: NotRequired[str]
    seed: NotRequired[int]
    arm: str
    samples: int
    chosen_by: str
    learning_rate: float | None
    epochs: int | None
    penalty: NotRequired[float | None]
    edge: str | None
    extended: int


class TrainedArm(TypedDict):
    """An arm's mean test error in percent, and the fewest and the most of the learning rates and epochs of its seeds.

    None where an arm has none.
    """

    arm: str
    chosen_by: str
    error: Interval
    learning_rate: tuple[float, float] | None
    epochs: tuple[int, int] | None


class NotebookGain(TypedDict):
    """What is left of the notebook's gain when both sides are trained well?

    notebook, remains: transfer against scratch, by the notebook's recipe and tuned (the primary comparison).
    goes: the points of `notebook` less those of `remains`; goes_share: their part of the notebook's points, in percent,
    None unless these seeds show that the notebook has a gain. training: tuned against the notebook's recipe, scratch
    and transfer.
    """

    notebook: Difference
    remains: Difference
    goes: Interval
    goes_share: Interval | None
    training: list[Difference]


class Price(Difference):
    """An arm whose recipe was chosen on the validation images against the same, chosen by cross-validation."""

    arm: str


class FewLabels(TypedDict):
    """What it costs to have no labels but those that are trained on: the price for scratch and for transfer.

    remains: transfer against scratch, both chosen on the validation images. All are judged together, by Holm.
    """

    price: list[Price]
    remains: Difference


class Worth(EquivalentBudget):
    """So many labelled images with transfer need the estimated number from scratch."""

    samples: int


class TunedBudgets(BudgetComparisons):
    """worth: at the budgets at which transfer helps."""

    worth: list[Worth]


class Tried(TypedDict):
    """What was tried to tune some arms: the same for all of them.

    values: how many learning rates, or penalties of a probe, from `lowest` to `highest`; epochs: the most of them.
    nested: each of the reported seeds was tuned for itself; else these are other seeds.
    """

    arms: list[str]
    chosen_by: str
    values: int
    of: str
    lowest: float
    highest: float
    epochs: int | None
    seeds: int
    nested: bool


class Tuned(TypedDict):
    """against_scratch: every other tuned arm against tuned scratch, by Holm; self-transfer is a check.

    sequence: the tests that are not exploratory. few_labels: only if recipes were also chosen on validation images;
    classes: only if other pairs of classes were run.
    """

    arms: list[TrainedArm]
    notebook_gain: NotebookGain
    against_scratch: list[Difference]
    sequence: list[Step]
    decomposition: dict[str, Decomposition]
    budgets: TunedBudgets
    compute: list[AtSteps]
    tried: list[Tried]
    recipes: list[ChosenRecipe]
    few_labels: NotRequired[FewLabels]
    classes: NotRequired[ClassPairs]


def notebook_gain(errors: dict[str, Errors], notebook: tuple[str, str], tuned: tuple[str, str]) -> NotebookGain:
    """Errors by arm, over the same seeds; (scratch, transfer) by the notebook's recipe and tuned."""
    gain, left = (errors[scratch] - errors[transfer] for scratch, transfer in (notebook, tuned))
    share = share_of(gain, gain - left)
    return NotebookGain(
        notebook=difference(errors, *notebook), remains=difference(errors, *tuned),
        goes=mean_of(gain - left, "points"), goes_share=None if share["low"] is None else share,
        training=judge_together([difference(errors, *pair) for pair in zip(notebook, tuned, strict=True)]),
    )  # fmt: skip


def few_labels(few: dict[str, Errors], many: dict[str, Errors], tuned: tuple[str, str]) -> FewLabels:
    """Errors of tuned (scratch, transfer) with recipes chosen by cross-validation, and on the validation images."""
    by = {CROSS_VALIDATION: few, VALIDATION_IMAGES: many}
    price = [Price(arm=arm, **difference({chosen: errors[arm] for chosen, errors in by.items()}, *by)) for arm in tuned]
    judged: list[Any] = judge_together([*price, difference(many, *tuned)])
    return FewLabels(price=judged[:-1], remains=judged[-1])
