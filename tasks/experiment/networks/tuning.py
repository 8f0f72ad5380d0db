"""Tuning: learning rate and epochs of plain SGD, chosen by cross-validation inside the labelled images.

Every arm gets the same grid: "the learning rate is a nuisance parameter" (Godbole et al. 2023, Deep Learning Tuning
Playbook), to be tuned for each arm before arms are compared.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.splits import Examples
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.trajectory import Course, Labelled
from tasks.experiment.randomness import generator
from tasks.storage.artifacts import Handle

Start = Callable[[Examples], Network]  # (the examples to train on) → the network that a trajectory starts from


class Grid(Handle):
    """What is tried: each rate, at each of the checkpoints of its trajectory.

    rates: ascending, half a decade apart. steps: the most SGD steps of a trajectory; but at least `fewest_epochs`.
    widenings: by how many half decades it may grow at either end, one at a time, while the best rate is at that end.
    """

    rates: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    steps: int = 1000
    fewest_epochs: int = 10
    folds: int = 5
    widenings: int = 2

    def checkpoints(self, images: int, batch_size: int) -> tuple[int, ...]:
        """Ascending numbers of epochs, about evenly spaced in their logarithm, for training on so many images."""
        last = max(self.fewest_epochs, self.steps // math.ceil(images / batch_size))
        spaced = np.geomspace(1, last, 1 + math.ceil(math.log(last) / math.log(1.5)))
        return tuple(sorted({round(epochs) for epochs in spaced.tolist()}))

    def wider(self, recipe: "Recipe") -> tuple[float, ...]:
        """The next rate beyond the end at which the recipe's rate is: none if it is inside, or at the last widening."""
        step = {"lowest rate": -1, "highest rate": 1}.get(recipe.edge, 0)
        end = self.rates[0] if step < 0 else self.rates[-1]
        there = _half_decades(recipe.learning_rate)
        grown = (there - _half_decades(end)) * step
        return (float(f"{10 ** ((there + step) / 2):.1g}"),) if step and grown < self.widenings else ()


def _half_decades(rate: float) -> int:
    """From 1, rounded: 0.3 is -1, 0.1 is -2."""
    return round(2 * math.log10(rate))


class Tried(TypedDict):
    """One point of the grid: means over the held-out images of all folds."""

    learning_rate: float
    epochs: int
    error: float
    loss: float


class Recipe(Handle):
    """How an arm is trained. edge: at which end of what was tried it is, or "" if inside."""

    learning_rate: float
    epochs: int
    edge: str = ""


def fold_numbers(labels: NDArray[np.int32], folds: int, seed: int) -> NDArray[np.intp]:
    """The fold of each image, shape (images,): stratified: of a class there are as many in each, give or take one.

    There are fewer folds where a class has fewer images, but two at least.
    """
    folds = max(2, min(folds, int(np.unique(labels, return_counts=True)[1].min())))
    order = generator(seed, "folds/B").permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    numbers = np.empty(len(labels), np.intp)
    numbers[by_class] = np.arange(len(labels)) % folds
    return numbers


def split_folds(examples: Examples, folds: int, seed: int) -> list[tuple[Examples, Examples]]:
    """(training, held out) examples of each fold."""
    number = fold_numbers(examples.labels, folds, seed)

    def part(chosen: NDArray[np.bool_]) -> Examples:
        return Examples(examples.rows[chosen], examples.labels[chosen])

    return [(part(number != fold), part(number == fold)) for fold in range(number.max() + 1)]


def cross_validate(start: Start, labelled: Labelled, grid: Grid, batch_size: int, seed: int) -> list[Tried]:
    """Each point of the grid, by the images that a fold's network was not trained on.

    start: may use the fold's training examples, as a body trained on them does. All arms of one seed have the same
    folds and the same order of images.
    """
    checkpoints = grid.checkpoints(len(labelled), batch_size)
    sums = np.zeros((len(grid.rates), len(checkpoints), 2))
    for training, held_out in split_folds(labelled.examples, grid.folds, seed):
        parts = Labelled(labelled.images, training), Labelled(labelled.images, held_out)
        course = Course(*parts, checkpoints, batch_size, generator(seed, "order/B"))
        model = start(training)
        for rate, row in zip(grid.rates, sums, strict=True):
            row += len(held_out) * np.array([(c.error, c.loss) for c in course.follow(model, rate)])
    return _as_tried(grid.rates, checkpoints, sums / len(labelled))


def validate_grid(
    start: Start, labelled: Labelled, validation: Labelled, grid: Grid, batch_size: int, seed: int
) -> list[Tried]:
    """Each point of the grid, trained on all labelled images and judged by a validation set."""
    checkpoints = grid.checkpoints(len(labelled), batch_size)
    course = Course(labelled, validation, checkpoints, batch_size, generator(seed, "order/B"))
    model = start(labelled.examples)
    figures = [[(c.error, c.loss) for c in course.follow(model, rate)] for rate in grid.rates]
    return _as_tried(grid.rates, checkpoints, np.array(figures))


def _as_tried(rates: Sequence[float], checkpoints: Sequence[int], means: NDArray[np.float64]) -> list[Tried]:
    """means: error and loss, shape (rates, checkpoints, 2)."""
    return [
        Tried(learning_rate=rate, epochs=epochs, error=error, loss=loss)
        for rate, of_rate in zip(rates, means.tolist(), strict=True)
        for epochs, (error, loss) in zip(checkpoints, of_rate, strict=True)
    ]


def choose(tried: Iterable[Tried]) -> Recipe:
    """The point with the lowest mean error over the seeds that were tried, and of equal ones with the lowest loss."""
    points: dict[tuple[float, int], list[tuple[float, float]]] = {}
    for each in tried:
        points.setdefault((each["learning_rate"], each["epochs"]), []).append((each["error"], each["loss"]))
    means = {point: tuple(np.mean(figures, axis=0)) for point, figures in points.items()}
    rate, epochs = min(means, key=lambda point: (*np.round(means[point], 12), point[1], point[0]))
    rates, all_epochs = ({point[i] for point in points} for i in (0, 1))
    several = len(all_epochs) > 1
    edges = {
        "lowest rate": rate == min(rates),
        "highest rate": rate == max(rates),
        "most epochs": several and epochs == max(all_epochs),
    }
    return Recipe(learning_rate=rate, epochs=epochs, edge=next((name for name, at in edges.items() if at), ""))


def tune(start: Start, labelled: Labelled, grid: Grid, batch_size: int, seed: int) -> tuple[Recipe, list[Tried]]:
    """One seed's recipe, chosen by its own cross-validation, and all that was tried; the grid grows at an edge."""
    tried = cross_validate(start, labelled, grid, batch_size, seed)
    recipe = choose(tried)
    while more := grid.wider(recipe):
        tried += cross_validate(start, labelled, grid.model_copy(update={"rates": more}), batch_size, seed)
        recipe = choose(tried)
    return recipe, tried
