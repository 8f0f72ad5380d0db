"""Which method, by rules that were stated beforehand, and how good it will be: arrays in, arrays out.

A point of a method's grid is chosen for each fold by the images outside of it, so that no image is judged by a point
that it helped to choose. What the choice among methods flatters, a bootstrap takes away (Tsamardinos, Greasidou &
Borboudakis 2018, "Bootstrapping the out-of-sample predictions for efficient and accurate cross-validation"): the whole
choice is made again on images drawn with replacement, and judged by those that were not drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.networks.tuning.grid import Recipe, Tried, choose
from tasks.experiment.randomness import generator
from tasks.experiment.recommend.judging import Judged
from tasks.experiment.results.scores import Labels
from tasks.experiment.results.statistics.basics import Errors, Interval
from tasks.experiment.results.statistics.resampled import (
    corrected_resampled_p,
    corrected_standard_error,
    cross_validated_interval,
)

RESAMPLES = 500
CONFIDENCE = 0.90
DROPPED = 0.01  # one-sided p against the best so far
METHOD = "bootstrap bias-corrected cross-validation (Tsamardinos et al. 2018)"

Right = NDArray[np.bool_]  # (repetitions, images): whether an image that was held out was answered rightly


@dataclass(frozen=True)
class Folds:
    """numbers: the fold of each image in each repetition, (repetitions, images)."""

    numbers: NDArray[np.intp]

    @property
    def count(self) -> int:
        return int(self.numbers.max()) + 1

    @property
    def test_to_train(self) -> float:
        """Images that judge a fold, by those that are trained on."""
        return 1 / (self.count - 1)

    def first(self, repetitions: int) -> Self:
        """Only so many repetitions."""
        return type(self)(self.numbers[:repetitions])

    def accuracies(self, right: Right, weights: NDArray[np.float64] | None = None) -> Errors:
        """Of each fold, (folds of all repetitions,). weights: of each image; a fold without any has none (NaN)."""
        weights = np.ones(right.shape[1]) if weights is None else weights
        found = []
        for numbers, answered in zip(self.numbers, right, strict=True):
            totals = np.bincount(numbers, weights, self.count)
            with np.errstate(invalid="ignore"):
                found.append(np.bincount(numbers, weights * answered, self.count) / totals)
        return np.concatenate(found)


def recipe_of(judged: Sequence[Judged], labels: Labels, among: NDArray[np.bool_] | None = None) -> Recipe:
    """The point of a method's grid that these images choose (None: all), over all repetitions."""
    among = np.ones(len(labels), bool) if among is None else among
    errors = np.mean([(each.answers != labels)[:, among].mean(1) for each in judged], axis=0)
    losses = np.mean([each.losses[:, among].mean(1, dtype=np.float64) for each in judged], axis=0)
    rows = zip(judged[0].points.tolist(), errors.tolist(), losses.tolist(), strict=True)
    images = int(among.sum())
    return choose(
        Tried(learning_rate=rate, epochs=int(epochs), images=images, error=error, loss=loss)
        for (rate, epochs), error, loss in rows
    )


def answers_of(judged: Sequence[Judged], labels: Labels) -> NDArray[np.int32]:
    """Each image's answers in each repetition, (repetitions, images), by a point that other images have chosen."""
    found = np.zeros((len(judged), len(labels)), np.int32)
    for row, each in zip(found, judged, strict=True):
        for fold in range(each.folds.max() + 1):
            mine = each.folds == fold
            recipe = recipe_of(judged, labels, among=~mine)
            chosen = each.points.tolist().index([recipe.learning_rate, recipe.epochs])
            row[mine] = each.answers[chosen, mine]
    return found


def clearly_worse(rights: Sequence[Right], folds: Folds) -> list[bool]:
    """Of each method, whether it can be dropped: the corrected resampled t-test against the best has p < DROPPED."""
    scores = [folds.accuracies(right) for right in rights]
    best = max(scores, key=lambda each: float(each.mean()))
    return [corrected_resampled_p(best - each, folds.test_to_train) < DROPPED for each in scores]


def choose_method(scores: Sequence[Errors], test_to_train: float) -> int:
    """The first method that is below the best by one standard error of that difference at most.

    scores: of each method, the cheapest to run first, its accuracy in each fold.
    """
    best = max(scores, key=lambda each: float(each.mean()))
    return next(
        number
        for number, each in enumerate(scores)
        if best.mean() - each.mean() <= corrected_standard_error(best - each, test_to_train) + 1e-12
    )


def expected_accuracy(rights: Sequence[Right], folds: Folds, seed: int) -> Interval:
    """Of whatever `choose_method` chooses among these methods, on new images, as a fraction."""
    random, images = generator(seed, "bootstrap"), folds.numbers.shape[1]
    found = []
    for _ in range(RESAMPLES):
        weights = np.bincount(random.integers(images, size=images), minlength=images).astype(np.float64)
        scores = [folds.accuracies(right, weights) for right in rights]
        there = ~np.isnan(scores[0])  # a fold of few images may have been left out altogether
        left_out = weights == 0
        if there.sum() > 1 and left_out.any():
            chosen = choose_method([each[there] for each in scores], folds.test_to_train)
            found.append(rights[chosen][:, left_out].mean())
    interval = cross_validated_interval(float(np.mean(found)), images, folds.count, len(folds.numbers), CONFIDENCE)
    return interval | {"method": f"{METHOD}; {interval['method']}"}
