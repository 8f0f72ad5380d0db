"""What a recommendation answers, as plain data for JSON, computed from what all methods answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.networks.tuning.grid import Recipe
from tasks.experiment.recommend.choice import (
    CONFIDENCE,
    Folds,
    answers_of,
    choose_method,
    expected_accuracy,
    recipe_of,
)
from tasks.experiment.recommend.judging import Judged
from tasks.experiment.recommend.methods import BASELINES
from tasks.experiment.results.statistics.basics import Interval
from tasks.experiment.results.statistics.resampled import corrected_resampled_p, cross_validated_interval
from tasks.experiment.scores import Labels


@dataclass(frozen=True)
class Contestant:
    """A method and all its repetitions.

    weights: of its network, what it costs to run. penalized: it is a mere probe. learns: anything of the images.
    """

    name: str
    source: str
    weights: int
    penalized: bool
    learns: bool
    judged: Sequence[Judged]


class Candidate(TypedDict):
    """A method: its accuracy in cross-validation, by points of its grid that other images chose.

    repetitions: fewer than those of the others if it was dropped. learning_rate, epochs, or penalty: what all images
    choose; edge: at which end of what was tried that is, or "". below_best: by how much its accuracy is below the best
    one's, in points, and p of that (one-sided corrected resampled t-test), over the folds of both.
    """

    name: str
    source: str
    weights: int
    repetitions: int
    accuracy: Interval
    learning_rate: float | None
    epochs: int | None
    penalty: float | None
    edge: str
    below_best: float
    p: float


class Advantage(TypedDict):
    """How much better than a baseline the chosen method is, in points, and the one-sided p of that."""

    over: str
    points: float
    p: float


class Mistake(TypedDict):
    """A labelled image that every method but the majority's got wrong whenever it was held out.

    row: its place among the training images. file: None where the data are no files. says: the commonest answer.
    """

    row: int
    file: str | None
    label: str
    says: str


class Choice(TypedDict):
    """candidates: the cheapest to run first. expected: of the chosen one, corrected for the choice.

    confusion: of the chosen one's answers in cross-validation, mean over repetitions, [true class][answered class].
    """

    images: int
    folds: int
    repetitions: int
    candidates: list[Candidate]
    chosen: str
    best: str
    expected: Interval
    advantages: list[Advantage]
    confusion: list[list[float]]
    mistakes: list[Mistake]


def decide_among(
    contestants: Sequence[Contestant], labels: Labels, names: Sequence[str], rows: NDArray[np.int32], files: list[str],
    seed: int,
) -> Choice:  # fmt: skip
    """The choice among methods. labels, rows: of the images, (images,). files: of all training images, or empty."""
    contestants = sorted(contestants, key=lambda each: each.weights)  # stable: of equals the simpler comes first
    repetitions = max(len(each.judged) for each in contestants)
    answers = {each.name: answers_of(each.judged, labels) for each in contestants}
    rights = {name: answered == labels for name, answered in answers.items()}
    full = next(each for each in contestants if len(each.judged) == repetitions)
    folds = Folds(np.stack([judged.folds for judged in full.judged]))
    left = [each for each in contestants if len(each.judged) == repetitions]
    scores = {each.name: folds.first(len(each.judged)).accuracies(rights[each.name]) for each in contestants}
    chosen = left[choose_method(np.stack([scores[each.name] for each in left]), folds.test_to_train)].name
    best = max((each.name for each in left), key=lambda name: float(scores[name].mean()))

    def ahead(one: str, other: str) -> tuple[float, float]:
        """By how many points one is ahead of the other, and p, over the folds of both."""
        both = min(len(scores[one]), len(scores[other]))
        gap = scores[one][:both] - scores[other][:both]
        return 100 * float(gap.mean()), corrected_resampled_p(gap, folds.test_to_train)

    def describe(each: Contestant) -> Candidate:
        recipe, count = recipe_of(each.judged, labels), len(each.judged)
        points, p = ahead(best, each.name)
        accuracy = cross_validated_interval(
            float(rights[each.name].mean()), len(labels), folds.count, count, CONFIDENCE
        )
        return Candidate(
            name=each.name, source=each.source, weights=each.weights, repetitions=count, accuracy=accuracy,
            below_best=points, p=p, **_recipe(each, recipe),
        )  # fmt: skip

    learned = [answers[each.name] for each in contestants if each.learns]
    return Choice(
        images=len(labels), folds=folds.count, repetitions=repetitions,
        candidates=[describe(each) for each in contestants], chosen=chosen, best=best,
        expected=expected_accuracy([rights[each.name] for each in left], folds, seed),
        advantages=[
            Advantage(over=name, points=points, p=p)
            for name in BASELINES if name in scores and name != chosen
            for points, p in [ahead(chosen, name)]
        ],
        confusion=confusion(answers[chosen], labels, len(names)),
        mistakes=mistakes(learned, labels, names, rows, files),
    )  # fmt: skip


def confusion(answers: NDArray[np.int32], labels: Labels, classes: int) -> list[list[float]]:
    """Numbers of images, mean over repetitions; answers: (repetitions, images)."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (np.broadcast_to(labels, answers.shape), answers), 1 / len(answers))
    return counts.round(6).tolist()


def mistakes(
    answers: Sequence[NDArray[np.int32]], labels: Labels, names: Sequence[str], rows: NDArray[np.int32],
    files: list[str],
) -> list[Mistake]:  # fmt: skip
    """Images that all of these methods, (repetitions, images) each, always got wrong."""
    together = np.concatenate(answers)
    found = np.flatnonzero((together != labels).all(0))
    return [
        Mistake(
            row=int(rows[image]), file=files[rows[image]] if files else None, label=names[labels[image]],
            says=names[int(np.bincount(together[:, image]).argmax())],
        )
        for image in found.tolist()
    ]  # fmt: skip


class _Recipe(TypedDict):
    learning_rate: float | None
    epochs: int | None
    penalty: float | None
    edge: str


def _recipe(contestant: Contestant, recipe: Recipe) -> _Recipe:
    if recipe.epochs:
        return _Recipe(learning_rate=recipe.learning_rate, epochs=recipe.epochs, penalty=None, edge=recipe.edge)
    if contestant.penalized:
        return _Recipe(learning_rate=None, epochs=None, penalty=recipe.learning_rate, edge=recipe.edge)
    return _Recipe(learning_rate=None, epochs=None, penalty=None, edge="")
