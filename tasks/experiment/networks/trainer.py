"""The trainer: whole epochs, validation included, in one compiled program. A Keras model in, a Keras model out.

This network is 14 MFLOP a step, so `fit` spends nearly all its time between steps, and a short run spends it tracing.
Here one XLA program (program.py) runs an epoch: it gathers each batch from the image array by index, takes the gradient
and updates the weights. With plain SGD a learning rate of zero *is* a frozen layer.
"""

import math
import os
import threading
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tasks.experiment.data.splits import Examples, TrainingData, shuffled
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.program import EPOCHS_AT_ONCE, Batches, compiled
from tasks.experiment.networks.recipe import Epoch, Network, OnEpoch, Training

VALIDATION_BATCH = 512

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Portion:
    """A part of a training run. first: the number of its first epoch.

    epochs, validation_batch: how many at most one call of the program trains, and how many images it validates at once.
    """

    first: int = 1
    epochs: int = EPOCHS_AT_ONCE
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
    on_epoch: OnEpoch = lambda number, epoch: None,
    portion: Portion = Portion(),
) -> list[Epoch]:
    """Train `model` in place by plain SGD and return its epochs.

    `order` shuffles: every example once an epoch, the last batch smaller. The layers named in `frozen_layers` keep
    their weights for the first `training.frozen_epochs`. `on_epoch` is called after each epoch.

    Raises DivergedError when a loss is not finite, naming the epoch.
    """
    program, images = compiled(model), tf.convert_to_tensor(data.images)
    validation = in_batches([data.validation], portion.validation_batch, len(images))
    constants = [tf.convert_to_tensor(v.value) for v in model.non_trainable_variables]
    weights = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    rates = _learning_rates(model, training, frozen_layers)
    steps, capacity = (math.ceil(count / training.batch_size) for count in (len(data.training), len(images)))
    at_once = min(portion.epochs, capacity // steps)
    epochs: list[Epoch] = []
    while len(epochs) < training.epochs:
        now = min(at_once, training.epochs - len(epochs))
        batches = in_batches([shuffled(data.training, order) for _ in range(now)], training.batch_size, len(images))
        now_rates = tf.constant(rates[len(epochs) : len(epochs) + EPOCHS_AT_ONCE])
        weights, figures = program(images, batches, validation, tf.constant(now), now_rates, weights, constants)
        for figure in figures.numpy()[:now].tolist():
            epoch, number = Epoch(*figure), portion.first + len(epochs)
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


def _learning_rates(model: Network, training: Training, frozen_layers: tuple[str, ...]) -> NDArray[np.float32]:
    """Of each variable in each epoch: shape (epochs + EPOCHS_AT_ONCE, variables), so that no slice is short."""
    frozen = {id(v) for layer in model.layers if layer.name in frozen_layers for v in layer.trainable_variables}
    rates = np.full(
        (training.epochs + EPOCHS_AT_ONCE, len(model.trainable_variables)), training.learning_rate, np.float32
    )
    rates[: training.frozen_epochs, [id(v) in frozen for v in model.trainable_variables]] = 0
    return rates


def in_batches(epochs: list[Examples], size: int, total: int) -> Batches:
    """The examples of several epochs, the same number in each, in batches of `size`.

    There are as many batches as `total` images would need, so that the shape does not depend on how many are used.
    """
    steps = math.ceil(len(epochs[0]) / size)
    shape = math.ceil(total / size), size
    rows, labels, counted = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    counted.flat[: len(epochs[0])] = 1
    for number, examples in enumerate(epochs):
        part = slice(number * steps, (number + 1) * steps)
        rows[part].flat[: len(examples)] = examples.rows
        labels[part].flat[: len(examples)] = examples.labels
    return Batches(tf.constant(rows), tf.constant(labels), tf.constant(counted), tf.constant(len(epochs[0])))
