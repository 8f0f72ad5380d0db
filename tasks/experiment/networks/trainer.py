"""The trainer: whole epochs, validation included, in one compiled program. A Keras model in, a Keras model out.

This network is 14 MFLOP a step, so `fit` spends nearly all its time between steps, and a short run spends it tracing.
Here one XLA program (program.py) runs an epoch: it gathers each batch from the image array by index, takes the gradient
and updates the weights. With plain SGD a learning rate of zero *is* a frozen layer.
"""

import math
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tasks.experiment.data.splits import Examples, TrainingData, shuffled
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.program import LEGS_AT_ONCE, Batches, Tensor, compiled
from tasks.experiment.networks.recipe import Epoch, Network, OnEpoch, Training

VALIDATION_BATCH = 512
STEPS_AT_ONCE = 512  # at most, in one call of the program, unless an epoch of all images has more

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Portion:
    """A part of a training run. first: the number of its first epoch.

    epochs, validation_batch: how many at most one call of the program trains, and how many images it validates at once.
    """

    first: int = 1
    epochs: int = sys.maxsize
    validation_batch: int = VALIDATION_BATCH


def set_threads() -> None:
    """Let as many networks train side by side as there are cores, with the same bits on any number of cores.

    The programs of a process share XLA's pool of threads. With a pool of one they take turns, and sums are cut in
    another way, so that the last bits differ; from two on the bits are the same. Must come before TensorFlow's first
    computation (later TensorFlow raises RuntimeError).

    That first one is made here, by one thread: begun by two at the same time it has crashed (SIGSEGV).
    """
    with _one_at_a_time:
        tf.config.threading.set_intra_op_parallelism_threads(max(2, os.cpu_count() or 1))
        tf.reshape(tf.zeros(1), ())


def train(
    model: Network,
    data: TrainingData,
    training: Training,
    *,
    order: np.random.Generator,
    frozen_layers: tuple[str, ...] = (),
    on_epoch: OnEpoch | None = lambda number, epoch: None,
    portion: Portion = Portion(),
) -> list[Epoch]:
    """Train `model` in place by plain SGD and return its epochs.

    `order` shuffles: every example once an epoch, the last batch smaller. The layers named in `frozen_layers` keep
    their weights for the first `training.frozen_epochs`. `on_epoch` is called after each epoch; None: the network is
    judged only when its layers are set free and at the end, and only these epochs are returned.

    Raises DivergedError when a loss is not finite, naming the epoch.
    """
    program, images = compiled(model), tf.convert_to_tensor(data.images)
    of_validation = math.ceil(len(images) / portion.validation_batch)
    validation = in_batches([data.validation], portion.validation_batch, of_validation)
    weights, constants = values(model)
    in_frozen = {id(v) for layer in model.layers if layer.name in frozen_layers for v in layer.trainable_variables}
    frozen = np.array([id(v) in in_frozen for v in model.trainable_variables])
    steps, room = math.ceil(len(data.training) / training.batch_size), capacity(len(images), training.batch_size)
    judged: Sequence[int] = range(1, training.epochs + 1)
    if on_epoch is None:
        judged = sorted({min(training.frozen_epochs, training.epochs), training.epochs} - {0})
    epochs: list[Epoch] = []
    for legs, ends in in_calls(judged, min(portion.epochs, room // steps)):
        batches = in_batches([shuffled(data.training, order) for _ in range(sum(legs))], training.batch_size, room)
        rates = rates_of_legs(ends, training.learning_rate, frozen, training.frozen_epochs)
        weights, figures = program(
            images, batches, images, validation, padded(legs, np.int32), rates, weights, constants
        )
        for end, figure in zip(ends, figures.numpy().tolist(), strict=False):
            epoch, number = Epoch(*figure), portion.first - 1 + end
            if not (math.isfinite(epoch.loss) and math.isfinite(epoch.validation_loss)):
                raise DivergedError(
                    f"the loss is {epoch.loss} in epoch {number}: training diverged; "
                    f"give a lower learning_rate than {training.learning_rate:g}"
                )
            epochs.append(epoch)
            if on_epoch:
                on_epoch(number, epoch)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    return epochs


def values(model: Network) -> tuple[list[Tensor], list[Tensor]]:
    """What training changes of a network, and what it does not, as tensors that stay where programs run."""
    trainable, constant = model.trainable_variables, model.non_trainable_variables
    return [tf.convert_to_tensor(v.value) for v in trainable], [tf.convert_to_tensor(v.value) for v in constant]


def capacity(images: int, batch_size: int) -> int:
    """For how many steps a call of the program has batches: for an epoch of all images, at least STEPS_AT_ONCE."""
    return max(STEPS_AT_ONCE, math.ceil(images / batch_size))


def in_calls(judged: Sequence[int], at_once: int, first: int = 0) -> Iterator[tuple[list[int], list[int]]]:
    """(the legs, the epoch at the end of each) for one call of the program after another.

    judged: after which epochs, ascending; `first` are done already. at_once: so many epochs a call has room for; a leg
    that needs more goes on in the next call, and so ends at an epoch in between too.
    """
    legs: list[int] = []
    ends: list[int] = []
    for judge in judged:
        while (done := ends[-1] if ends else first) < judge:
            if sum(legs) == at_once or len(legs) == LEGS_AT_ONCE:
                yield legs, ends
                first, legs, ends = done, [], []
            legs.append(min(judge - done, at_once - sum(legs)))
            ends.append(done + legs[-1])
    if legs:
        yield legs, ends


def rates_of_legs(ends: Sequence[int], learning_rate: float, frozen: NDArray[np.bool_], frozen_epochs: int) -> Tensor:
    """The learning rate of each weight in legs that end at these epochs: 0 where it is frozen, up to `frozen_epochs`.

    frozen: for each weight, whether it is then.
    """
    return padded([np.where(frozen & (end <= frozen_epochs), 0, learning_rate) for end in ends], np.float32)


def padded(of_legs: Sequence[Any], kind: type) -> Tensor:
    """A value of each leg, with zeros up to LEGS_AT_ONCE."""
    array: NDArray[Any] = np.asarray(of_legs, kind)
    return tf.constant(np.concatenate([array, np.zeros((LEGS_AT_ONCE - len(array), *array.shape[1:]), kind)]))


def in_batches(epochs: list[Examples], size: int, batches: int) -> Batches:
    """The examples of several epochs, the same number in each, in batches of `size`.

    batches: how many there are, beyond those that are needed, so that the shape does not depend on how many are used.
    """
    steps = math.ceil(len(epochs[0]) / size)
    shape = batches, size
    rows, labels, counted = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    counted.flat[: len(epochs[0])] = 1
    for number, examples in enumerate(epochs):
        part = slice(number * steps, (number + 1) * steps)
        rows[part].flat[: len(examples)] = examples.rows
        labels[part].flat[: len(examples)] = examples.labels
    return Batches(tf.constant(rows), tf.constant(labels), tf.constant(counted), tf.constant(len(epochs[0])))
