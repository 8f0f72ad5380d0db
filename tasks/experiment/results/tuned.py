"""Both sides trained well: what is left of the notebook's gain. The answers of the tuned arms, by question."""

from typing import NotRequired, TypedDict

from tasks.experiment.results.budgets import EquivalentBudget
from tasks.experiment.results.class_pairs import ClassPairs
from tasks.experiment.results.comparisons import BudgetComparisons
from tasks.experiment.results.compute import AtSteps
from tasks.experiment.results.decomposition import Decomposition, Step
from tasks.experiment.results.differences import Difference, MeanError
from tasks.experiment.results.statistics import Interval


class ChosenRecipe(TypedDict):
    """What tuning chose for an arm at a number of labelled images, by "cross-validation" or on "validation images".

    edge: which end of the grid it lies at, if at any; extended: by how many rates the grid was extended for this arm.
    """

    arm: str
    samples: int
    chosen_by: str
    learning_rate: float
    epochs: int
    edge: str | None
    extended: int


class NotebookGain(TypedDict):
    """Is the notebook's gain left when both sides are trained well?

    notebook, remains: transfer against scratch, by the notebook's recipe and tuned (the primary comparison).
    goes: the points of `notebook` less those of `remains`; goes_share: their part of the notebook's, in percent, if
    there is a gain. training: tuned against the notebook's recipe, scratch and transfer. price: of few labels, that is
    a recipe chosen by cross-validation against one chosen on the validation images, scratch and transfer.
    """

    errors: list[MeanError]
    notebook: Difference
    remains: Difference
    goes: Interval
    goes_share: Interval | None
    training: list[Difference]
    price: list[Difference]


class Worth(EquivalentBudget):
    """So many labelled images with transfer need the estimated number from scratch."""

    samples: int


class TunedBudgets(BudgetComparisons):
    """worth: at the budgets at which transfer helps."""

    worth: list[Worth]


class Tried(TypedDict):
    """What was tried to tune an arm: so many learning rates from lowest to highest, and up to so many epochs."""

    arm: str
    chosen_by: str
    rates: int
    lowest: float
    highest: float
    epochs: int
    seeds: int


class Tuned(TypedDict):
    """against_scratch: every other tuned arm against tuned scratch, by Holm, self-transfer as a check.

    sequence: the tests that are not exploratory. classes: only if other pairs of classes were run.
    """

    notebook_gain: NotebookGain
    against_scratch: list[Difference]
    sequence: list[Step]
    decomposition: dict[str, Decomposition]
    budgets: TunedBudgets
    compute: list[AtSteps]
    recipes: list[ChosenRecipe]
    tried: list[Tried]
    classes: NotRequired[ClassPairs]
