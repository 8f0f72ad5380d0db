"""What is tried in tuning, and the choice: plain data, light to import.

Every arm gets the same grid: "the learning rate is a nuisance parameter" (Godbole et al. 2023, Deep Learning Tuning
Playbook), to be tuned for each arm before arms are compared.
"""

import math
from collections.abc import Iterable, Iterator
from typing import TypedDict

import numpy as np

from tasks.experiment.scores import Metric
from tasks.storage.artifacts import Handle


class Grid(Handle):
    """What is tried: each rate, at each of the checkpoints of its trajectory. metric: by which errors it is judged.

    rates: ascending, half a decade apart. steps: the most SGD steps of a trajectory; but at least `fewest_epochs`.
    widenings: by how many half decades it may grow at either end, one at a time, while the best rate is at that end.
    """

    rates: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    steps: int = 1000
    fewest_epochs: int = 10
    folds: int = 5
    widenings: int = 2
    metric: Metric = "accuracy"

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
        return (_rate(there + step),) if step and grown < self.widenings else ()


def rates_down_from(rate: float, lowest: float = 0.001) -> Iterator[float]:
    """This rate, and those below it, half a decade apart.

    A recipe's rate did not diverge on the images of a fold; on all of them it may. Whoever sees a loss become infinite
    begins again at a lower rate.
    """
    yield rate
    for below in range(_half_decades(rate) - 1, _half_decades(lowest) - 1, -1):
        yield _rate(below)


def _rate(half_decades: int) -> float:
    return float(f"{10 ** (half_decades / 2):.1g}")


def _half_decades(rate: float) -> int:
    """From 1, rounded: 0.3 is -1, 0.1 is -2."""
    return round(2 * math.log10(rate))


class Tried(TypedDict):
    """One point of the grid, judged by so many images: of all folds the held-out ones. error, loss: their means."""

    learning_rate: float
    epochs: int
    images: int
    error: float
    loss: float


class Recipe(Handle):
    """How an arm is trained. edge: at which end of what was tried it is, or "" if inside."""

    learning_rate: float
    epochs: int
    edge: str = ""


def choose(tried: Iterable[Tried]) -> Recipe:
    """Of the points whose error can't be told from the lowest one, the longest trained, and of these the best.

    That is: within one standard error of the lowest mean error over all seeds (Breiman et al. 1984). A point that stops
    early is no better than its neighbours but by luck, and the luck of so few images would be taken for a recipe. Of
    equal errors the lower loss decides. Whatever the metric, its standard error is taken to be that of a share.
    """
    points: dict[tuple[float, int], list[Tried]] = {}
    for each in tried:
        points.setdefault((each["learning_rate"], each["epochs"]), []).append(each)
    # Rounded, for errors are counts of images: what differs in its last bits only is equal.
    errors = {point: round(float(np.mean([e["error"] for e in of_seeds])), 9) for point, of_seeds in points.items()}
    losses = {point: float(np.mean([each["loss"] for each in of_seeds])) for point, of_seeds in points.items()}
    best = min(errors, key=lambda point: errors[point])
    images = sum(each["images"] for each in points[best])
    noise = math.sqrt(errors[best] * (1 - errors[best]) / images)
    near = [point for point, error in errors.items() if error <= errors[best] + noise]
    longest = max(epochs for _, epochs in near)
    rate = min(
        (rate for rate, epochs in near if epochs == longest),
        key=lambda rate: (errors[rate, longest], losses[rate, longest], rate),
    )
    rates, all_epochs = ({point[i] for point in points} for i in (0, 1))
    edges = {
        "lowest rate": rate == min(rates),
        "highest rate": rate == max(rates),
        "most epochs": len(all_epochs) > 1 and {epochs for _, epochs in near} == {max(all_epochs)},
    }
    return Recipe(learning_rate=rate, epochs=longest, edge=next((name for name, at in edges.items() if at), ""))
