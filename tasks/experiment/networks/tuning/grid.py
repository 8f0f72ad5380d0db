"""What is tried in tuning, and the choice: plain data, light to import.

Every arm gets the same grid: "the learning rate is a nuisance parameter" (Godbole et al. 2023, Deep Learning Tuning
Playbook), to be tuned for each arm before arms are compared.
"""

import math
from collections.abc import Iterable
from typing import TypedDict

import numpy as np

from tasks.storage.artifacts import Handle


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
