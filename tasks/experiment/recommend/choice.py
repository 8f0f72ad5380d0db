"""Which method, by rules that were stated beforehand, and how good it will be: arrays in, arrays out.

A point of a method's grid is chosen for each fold by the images outside of it, so that no image is judged by a point
that it helped to choose. By how much the choice among methods flatters the chosen one, a bootstrap tells, in which the
whole choice is made again on images drawn with replacement (Tsamardinos, Greasidou & Borboudakis 2018, "Bootstrapping
the out-of-sample predictions for efficient and accurate cross-validation"): the optimism (Efron 1983) is how much
better what was chosen looks on these than on those that were not drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.networks.tuning.grid import Recipe, Tried, choose
from tasks.experiment.randomness import generator
from tasks.experiment.recommend.judging import Judged
from tasks.experiment.results.statistics.basics import Errors, Interval
from tasks.experiment.results.statistics.resampled import (
    corrected_resampled_p,
    corrected_standard_error,
    cross_validated_interval,
)
from tasks.experiment.scores import Labels

RESAMPLES = 500
EQUAL = 1e-12
CONFIDENCE = 0.90
DROPPED = 0.01  # one-sided p against the best so far
METHOD = "cross-validation less its optimism by bootstrap (Tsamardinos et al. 2018)"

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

    def accuracies(self, right: Right) -> Errors:
        """Of each fold, (folds of all repetitions,)."""
        return self.weighted([right], np.ones((1, right.shape[1])))[0, 0]

    def weighted(self, rights: Sequence[Right], weights: Errors) -> Errors:
        """Of each method in each fold, for several weights of the images, (weights, methods, folds).

        weights: (weights, images). A fold whose images have none has no accuracy (NaN).
        """
        member = (self.numbers[:, :, None] == np.arange(self.count)).transpose(1, 0, 2)  # (images, repetitions, folds)
        right = np.stack([each.T for each in rights], axis=1)[..., None] * member[:, None]
        images = len(member)
        totals = (weights @ member.reshape(images, -1))[:, None]
        with np.errstate(invalid="ignore"):
            found: Errors = (weights @ right.reshape(images, -1)).reshape(len(weights), len(rights), -1) / totals
        return found


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


def choose_method(scores: Errors, test_to_train: float) -> int:
    """The first method that is below the best by one standard error of that difference at most.

    scores: accuracies, (methods, folds of all repetitions), the cheapest to run first.
    """
    gaps = scores[scores.mean(1).argmax()] - scores
    return int(np.argmax(gaps.mean(1) <= corrected_standard_error(gaps, test_to_train) + EQUAL))


def expected_accuracy(rights: Sequence[Right], folds: Folds, seed: int) -> Interval:
    """Of the one that `choose_method` chooses among these methods, on new images, as a fraction.

    Methods differ on drawn images by luck twice, that of the images and that of the draw. So of methods that are all as
    good the best one looks √2 times as much too good there as it does on the images themselves.
    """
    random, images = generator(seed, "bootstrap"), folds.numbers.shape[1]
    drawn = random.multinomial(images, np.full(images, 1 / images), size=RESAMPLES)
    means, optimism = np.stack([right.mean(0) for right in rights]), []
    for weights, scores in zip(drawn, folds.weighted(rights, drawn.astype(np.float64)), strict=True):
        judged = ~np.isnan(scores[0])  # none of the images of a small fold may have been drawn
        if judged.sum() > 1 and (left_out := weights == 0).any():
            accuracies = means[choose_method(scores[:, judged], folds.test_to_train)]
            optimism.append(np.average(accuracies, weights=weights) - accuracies[left_out].mean())
    (whole,) = folds.weighted(rights, np.ones((1, images)))
    estimate = means[choose_method(whole, folds.test_to_train)].mean() - np.mean(optimism) / math.sqrt(2)
    estimate = float(np.clip(estimate, 0, 1))
    interval = cross_validated_interval(estimate, images, folds.count, len(folds.numbers), CONFIDENCE)
    return interval | {"method": f"{METHOD}; {interval['method']}"}
