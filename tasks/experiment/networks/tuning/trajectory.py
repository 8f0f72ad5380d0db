"""A trajectory: one training run at a constant learning rate, judged at several epochs.

Plain SGD has no state, so the network at a checkpoint is the one that a run of so many epochs gives: one trajectory
answers for every number of epochs. Rates, epochs, weights and rows are arguments of one compiled program.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tasks.experiment.data.splits import Examples, shuffled
from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.program import Batches, Tensor, compiled_in_parts
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.trainer import VALIDATION_BATCH, in_batches
from tasks.experiment.scores import Metric, error_by

STEPS_AT_ONCE = 512  # at most, in one call of the program, unless an epoch of all images has more


@dataclass(frozen=True)
class Labelled:
    """Examples and the images, uint8, (images, *shape of one), of which they name rows; an array or a tensor."""

    images: Any
    examples: Examples

    def __len__(self) -> int:
        return len(self.examples)


@dataclass(frozen=True)
class Checkpoint:
    """What a trajectory has come to: SGD steps so far, means over the images that judge it, the network's weights.

    From where the loss is no longer finite the network counts with its answers, the first class to every image: its
    loss is infinite.
    """

    epochs: int
    steps: int
    error: float
    loss: float
    weights: list[Tensor] = field(compare=False, repr=False)

    @property
    def diverged(self) -> bool:
        return self.loss == math.inf


class Course:
    """What trajectories are trained on and judged by: the same batches for each of them, whatever their rate.

    checkpoints: ascending numbers of epochs. order: shuffles, as in `train`. metric: by which errors are judged.
    """

    def __init__(
        self, training: Labelled, judged: Labelled, checkpoints: Sequence[int], batch_size: int,
        order: np.random.Generator, metric: Metric = "accuracy",
    ) -> None:  # fmt: skip
        self._metric = metric
        self.steps = math.ceil(len(training) / batch_size)
        self._images, self._judged_images = (tf.convert_to_tensor(each.images) for each in (training, judged))
        self._judged = in_batches([judged.examples], VALIDATION_BATCH, len(judged.images))
        self._labels = judged.examples.labels
        capacity = max(STEPS_AT_ONCE, math.ceil(len(training.images) / batch_size))
        self._legs: list[tuple[int, list[tuple[int, Batches]]]] = []  # (checkpoint, (epochs, their batches) before it)
        for before, after in zip((0, *checkpoints), checkpoints, strict=False):
            epochs = [shuffled(training.examples, order) for _ in range(after - before)]
            calls = [epochs[i : i + capacity // self.steps] for i in range(0, len(epochs), capacity // self.steps)]
            batches = [(len(call), in_batches(call, batch_size, capacity * batch_size)) for call in calls]
            self._legs.append((after, batches))

    def follow(self, model: Network, learning_rate: float, frozen_epochs: int = 0) -> list[Checkpoint]:
        """The checkpoints of a trajectory that begins with the model's weights. The model stays as it is.

        frozen_epochs: for so many, up to a checkpoint, only the head is trained.
        """
        train, judge, answer = compiled_in_parts(model)
        constants = [tf.convert_to_tensor(v.value) for v in model.non_trainable_variables]
        weights = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
        hidden = {id(v) for layer in hidden_layers(model) for v in layer.trainable_variables}
        in_head = np.array([id(v) not in hidden for v in model.trainable_variables])
        everything = np.full(len(weights), learning_rate, np.float32)
        reached: list[Checkpoint] = []
        for epochs, calls in self._legs:
            rates = tf.constant(everything * in_head if epochs <= frozen_epochs else everything)
            for count, batches in calls:
                weights = train(self._images, batches, tf.constant(count), rates, weights, constants)
            loss, accuracy = judge(self._judged_images, self._judged, weights, constants).numpy().tolist()
            if not math.isfinite(loss):
                nothing = np.full((len(self._labels), model.output_shape[-1]), np.nan, np.float32)
                first_class = self._error(nothing), math.inf, weights
                rest = [epochs for epochs, _ in self._legs[len(reached) :]]
                return reached + [Checkpoint(n, n * self.steps, *first_class) for n in rest]
            if self._metric == "accuracy":
                error = round((1 - accuracy) * len(self._labels)) / len(self._labels)  # accuracy is a float32
            else:
                error = self._error(self._answers(answer, weights, constants))
            reached.append(Checkpoint(epochs, epochs * self.steps, error, loss, weights))
        return reached

    def _answers(self, answer: Any, weights: list[Tensor], constants: list[Tensor]) -> NDArray[np.float32]:
        """The outputs for the images that judge, (images, outputs), batch by batch."""
        batches = self._judged.rows[: math.ceil(len(self._labels) / VALIDATION_BATCH)]
        outputs = [answer(self._judged_images, rows, weights, constants).numpy() for rows in batches]
        return np.concatenate(outputs)[: len(self._labels)]

    def _error(self, outputs: NDArray[np.float32]) -> float:
        return error_by(self._metric, outputs[:, 0] if outputs.shape[1] == 1 else outputs, self._labels)


def set_weights(model: Network, weights: list[Tensor]) -> None:
    """Give the model these values of its trainable weights."""
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
