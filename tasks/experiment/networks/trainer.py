"""The trainer: whole epochs, validation included, in one compiled program. A Keras model in, a Keras model out.

This network is 14 MFLOP a step, so `fit` spends nearly all its time between steps, and a short run spends it tracing.
Here one XLA program (program.py) runs an epoch: it gathers each batch from the image array by index, takes the gradient
and updates the weights. With plain SGD a learning rate of zero *is* a frozen layer.
"""

import math
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.experiment.data.splits import Examples, TrainingData, shuffled
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.program import LEGS_AT_ONCE, Batches, compiled
from tasks.experiment.networks.recipe import Epoch, Network, OnEpoch, Training

VALIDATION_BATCH = 512
STEPS_AT_ONCE = 512  # at most, in one call of the program, unless an epoch of all images has more

_one_at_a_time = threading.Lock()


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
    on_epoch: OnEpoch = lambda number, epoch: None,
    judged_often: bool = True,
) -> list[Epoch]:
    """Train `model` in place by plain SGD and return its epochs.

    `order` shuffles: every example once an epoch, the last batch smaller. The layers named in `frozen_layers` keep
    their weights for the first `training.frozen_epochs`. `on_epoch` is called after each epoch. judged_often: by the
    validation images after each epoch; else only when layers are set free and at the end, and only of these epochs is
    anything known.

    Raises DivergedError when a loss is not finite, naming the epoch.
    """
    program, images = compiled(model), tf.convert_to_tensor(data.images)
    validation = in_batches([data.validation], VALIDATION_BATCH, math.ceil(len(images) / VALIDATION_BATCH))
    constants = [tf.convert_to_tensor(v.value) for v in model.non_trainable_variables]
    weights = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    in_frozen = {id(v) for layer in model.layers if layer.name in frozen_layers for v in layer.trainable_variables}
    frozen = np.array([id(v) in in_frozen for v in model.trainable_variables])
    steps, at_once = math.ceil(len(data.training) / training.batch_size), capacity(len(images), training.batch_size)
    epochs: list[Epoch] = []
    ends = range(1, training.epochs + 1) if judged_often else sorted({training.frozen_epochs, training.epochs} - {0})
    done = 0
    for call in in_calls(np.diff(ends, prepend=0).tolist(), steps, at_once):
        numbers = (done + np.cumsum(call)).tolist()
        done = numbers[-1]
        rates = [np.where(frozen & (n <= training.frozen_epochs), 0, training.learning_rate) for n in numbers]
        batches = in_batches([shuffled(data.training, order) for _ in range(sum(call))], training.batch_size, at_once)
        weights, figures = program(
            images, batches, images, validation, padded(call, np.int32), padded(rates, np.float32), weights, constants
        )
        for number, figure in zip(numbers, figures.numpy().tolist(), strict=False):
            epoch = Epoch(*figure)
            if not (math.isfinite(epoch.loss) and math.isfinite(epoch.validation_loss)):
                raise DivergedError(
                    f"the loss is {epoch.loss} in epoch {number}: training diverged; "
                    f"give a lower learning_rate than {training.learning_rate:g}"
                )
            epochs.append(epoch)
            on_epoch(number, epoch)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    return epochs


def capacity(images: int, batch_size: int) -> int:
    """How many steps one call of the program has room for: an epoch of all images, but at least STEPS_AT_ONCE."""
    return max(STEPS_AT_ONCE, math.ceil(images / batch_size))


def in_calls(legs: Sequence[int], steps: int, at_once: int) -> Iterator[list[int]]:
    """The legs of each call of the program, as numbers of epochs, where an epoch has so many steps.

    A call has room for `at_once` steps; a leg that is longer goes on in the next call.
    """
    call: list[int] = []
    for leg in legs:
        while leg:
            if sum(call) == at_once // steps or len(call) == LEGS_AT_ONCE:
                yield call
                call = []
            call.append(min(leg, at_once // steps - sum(call)))
            leg -= call[-1]
    if call:
        yield call


def padded(values: Sequence[Any], kind: type) -> tf.Tensor:
    """These values of legs, with zeros up to LEGS_AT_ONCE."""
    array = np.asarray(values, kind)
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
