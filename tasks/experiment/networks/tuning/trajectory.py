"""A trajectory: one training run at a constant learning rate, judged at several epochs.

Plain SGD has no state, so the network at a checkpoint is the one that a run of so many epochs gives: one trajectory
answers for every number of epochs. Rates, epochs, weights and rows are arguments of one compiled program, which trains
and judges for as long as there is room for batches.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tasks.experiment.data.splits import Examples, shuffled
from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.program import Batches, Tensor, compiled, compiled_answers
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.trainer import (
    VALIDATION_BATCH,
    capacity,
    in_batches,
    in_calls,
    padded,
    rates_of_legs,
    values,
)
from tasks.experiment.scores import Metric, Probabilities, error_by


@dataclass(frozen=True)
class Labelled:
    """Examples and the images, uint8, (images, *shape of one), of which they name rows; an array or a tensor."""

    images: Any
    examples: Examples

    def __len__(self) -> int:
        return len(self.examples)


@dataclass(frozen=True)
class Checkpoint:
    """What a trajectory has come to: SGD steps so far, means over the images that judge it.

    From where the loss is no longer finite the network counts with its answers, the first class to every image: its
    loss is infinite. probabilities: its answers, if they were asked for.
    """

    epochs: int
    steps: int
    error: float
    loss: float
    probabilities: Probabilities | None = None

    @property
    def diverged(self) -> bool:
        return self.loss == math.inf


@dataclass(frozen=True)
class Trajectory:
    """What one came to at each checkpoint, and the weights at the one that is kept. learning_rate: that it took."""

    reached: list[Checkpoint]
    weights: list[Tensor]
    learning_rate: float


class Course:
    """What trajectories are trained on and judged by: the same batches for each of them, whatever their rate.

    checkpoints: ascending numbers of epochs. order: shuffles, as in `train`. keep: the checkpoint whose weights are
    wanted; None: the last one. metric: by which errors are judged. answers: whether checkpoints hold them.
    """

    def __init__(
        self, training: Labelled, judged: Labelled, checkpoints: Sequence[int], batch_size: int,
        order: np.random.Generator, *, keep: int | None = None, metric: Metric = "accuracy", answers: bool = False,
    ) -> None:  # fmt: skip
        self._metric, self._with_answers = metric, answers
        self.steps = math.ceil(len(training) / batch_size)
        self.checkpoints, self.kept = tuple(checkpoints), keep or checkpoints[-1]
        self._images, self._judged_images = (tf.convert_to_tensor(each.images) for each in (training, judged))
        of_judged = math.ceil(len(judged.images) / VALIDATION_BATCH)
        self._judged = in_batches([judged.examples], VALIDATION_BATCH, of_judged)
        self._labels = judged.examples.labels
        self._calls: list[tuple[list[int], list[int], Batches]] = []  # (legs, epochs at their ends, batches of all)
        room = capacity(len(training.images), batch_size)
        # Weights are known at the end of a call: one ends at the checkpoint whose weights are wanted, and at each
        # checkpoint if answers are wanted, or errors that are not the program's own.
        own = metric == "accuracy" and not answers
        wanted = {self.kept, self.checkpoints[-1]} if own else set(self.checkpoints)
        for first, last in pairwise([0, *sorted(wanted)]):
            judge = [each for each in self.checkpoints if first < each <= last]
            for legs, ends in in_calls(judge, room // self.steps, first):
                epochs = [shuffled(training.examples, order) for _ in range(sum(legs))]
                self._calls.append((legs, ends, in_batches(epochs, batch_size, room)))

    def follow(self, model: Network, learning_rate: float, frozen_epochs: int = 0) -> Trajectory:
        """The trajectory that begins with the model's weights. The model stays as it is.

        frozen_epochs: for so many, up to a checkpoint, only the head is trained.
        """
        program, (weights, constants) = compiled(model), values(model)
        hidden = {id(v) for layer in hidden_layers(model) for v in layer.trainable_variables}
        in_hidden = np.array([id(v) in hidden for v in model.trainable_variables])
        reached: list[Checkpoint] = []
        kept = weights
        for legs, ends, batches in self._calls:
            rates = rates_of_legs(ends, learning_rate, in_hidden, frozen_epochs)
            weights, figures = program(
                self._images, batches, self._judged_images, self._judged, padded(legs, np.int32), rates, weights,
                constants,
            )  # fmt: skip
            kept = weights if ends[-1] <= self.kept else kept
            for end, (_, _, loss, accuracy) in zip(ends, figures.numpy().tolist(), strict=False):
                if not math.isfinite(loss):
                    reached += self._diverged(len(reached), model.output_shape[-1])
                    return Trajectory(reached, kept, learning_rate)
                if end in self.checkpoints:
                    reached.append(self._checkpoint(end, loss, accuracy, model, weights, constants))
        return Trajectory(reached, kept, learning_rate)

    def follow_soundly(self, model: Network, rates: Iterable[float]) -> Trajectory:
        """The first of these rates' trajectories that has not diverged at the checkpoint that is kept, or the last."""
        for rate in rates:
            trajectory = self.follow(model, rate)
            if not any(each.diverged for each in trajectory.reached if each.epochs == self.kept):
                break
        return trajectory

    def _checkpoint(
        self, end: int, loss: float, accuracy: float, model: Network, weights: list[Tensor], constants: list[Tensor]
    ) -> Checkpoint:
        if self._metric == "accuracy" and not self._with_answers:
            error = round((1 - accuracy) * len(self._labels)) / len(self._labels)  # accuracy is a float32
            return Checkpoint(end, end * self.steps, error, loss)
        return self._judged_by(end, loss, self._answers(model, weights, constants))

    def _diverged(self, first: int, outputs: int) -> list[Checkpoint]:
        lost = np.full((len(self._labels), outputs), np.nan, np.float32)
        return [self._judged_by(epochs, math.inf, lost) for epochs in self.checkpoints[first:]]

    def _judged_by(self, epochs: int, loss: float, outputs: NDArray[np.float32]) -> Checkpoint:
        probabilities = outputs[:, 0] if outputs.shape[1] == 1 else outputs
        error = error_by(self._metric, probabilities, self._labels)
        kept = probabilities if self._with_answers else None
        return Checkpoint(epochs, epochs * self.steps, error, loss, kept)

    def _answers(self, model: Network, weights: list[Tensor], constants: list[Tensor]) -> NDArray[np.float32]:
        """The outputs for the images that judge, (images, outputs), batch by batch."""
        answer, batches = compiled_answers(model), self._judged.rows[: math.ceil(len(self._labels) / VALIDATION_BATCH)]
        outputs = [answer(self._judged_images, rows, weights, constants).numpy() for rows in batches]
        return np.concatenate(outputs)[: len(self._labels)]


def set_weights(model: Network, weights: list[Tensor]) -> None:
    """Give the model these values of its trainable weights."""
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
