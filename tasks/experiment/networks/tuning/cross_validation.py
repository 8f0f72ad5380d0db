"""Tuning: learning rate and epochs of plain SGD, chosen by cross-validation inside the labelled images."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.splits import Examples
from tasks.experiment.networks.recipe import Network, OnStep, unreported
from tasks.experiment.networks.tuning.grid import Grid, Recipe, Tried, choose
from tasks.experiment.networks.tuning.trajectory import Course, Labelled
from tasks.experiment.randomness import generator

Start = Callable[[Examples], Network]  # (the examples to train on) → the network that a trajectory starts from


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


def cross_validate(
    start: Start, labelled: Labelled, grid: Grid, batch_size: int, seed: int, on_step: OnStep = unreported
) -> list[Tried]:
    """Each point of the grid, by the images that a fold's network was not trained on.

    start: may use the fold's training examples, as a body trained on them does. All arms of one seed have the same
    folds and the same order of images. on_step: is told of trajectories.
    """
    checkpoints = grid.checkpoints(len(labelled), batch_size)
    sums = np.zeros((len(grid.rates), len(checkpoints), 2))
    folds = split_folds(labelled.examples, grid.folds, seed)
    for fold, (training, held_out) in enumerate(folds):
        parts = Labelled(labelled.images, training), Labelled(labelled.images, held_out)
        course = Course(*parts, checkpoints, batch_size, generator(seed, "order/B"), metric=grid.metric)
        model = start(training)
        for done, (rate, row) in enumerate(zip(grid.rates, sums, strict=True), start=1 + fold * len(grid.rates)):
            row += len(held_out) * np.array([(c.error, c.loss) for c in course.follow(model, rate).reached])
            on_step(done, len(folds) * len(grid.rates))
    return _as_tried(grid.rates, checkpoints, len(labelled), sums / len(labelled))


def validate_grid(
    start: Start, labelled: Labelled, validation: Labelled, grid: Grid, batch_size: int, seed: int
) -> list[Tried]:
    """Each point of the grid, trained on all labelled images and judged by a validation set."""
    checkpoints = grid.checkpoints(len(labelled), batch_size)
    course = Course(labelled, validation, checkpoints, batch_size, generator(seed, "order/B"), metric=grid.metric)
    model = start(labelled.examples)
    figures = [[(c.error, c.loss) for c in course.follow(model, rate).reached] for rate in grid.rates]
    return _as_tried(grid.rates, checkpoints, len(validation), np.array(figures))


def _as_tried(
    rates: Sequence[float], checkpoints: Sequence[int], images: int, means: NDArray[np.float64]
) -> list[Tried]:
    """means: error and loss, shape (rates, checkpoints, 2)."""
    return [
        Tried(learning_rate=rate, epochs=epochs, images=images, error=error, loss=loss)
        for rate, of_rate in zip(rates, means.tolist(), strict=True)
        for epochs, (error, loss) in zip(checkpoints, of_rate, strict=True)
    ]


def tune(
    start: Start, labelled: Labelled, grid: Grid, batch_size: int, seed: int, on_step: OnStep = unreported
) -> tuple[Recipe, list[Tried]]:
    """One seed's recipe, chosen by its own cross-validation, and all that was tried; the grid grows at an edge.

    on_step: is told of trajectories, but for those by which it grew.
    """
    tried = cross_validate(start, labelled, grid, batch_size, seed, on_step)
    recipe = choose(tried)
    while more := grid.wider(recipe):
        tried += cross_validate(start, labelled, grid.model_copy(update={"rates": more}), batch_size, seed)
        recipe = choose(tried)
    return recipe, tried
