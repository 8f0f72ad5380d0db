"""The trainer: a whole epoch, validation included, in one compiled program. A Keras model in, a Keras model out.

This network is 14 MFLOP a step, so `fit` spends nearly all its time between steps, and a short run spends it tracing.
Here one XLA program runs an epoch: it gathers each batch from the image array by index, takes the gradient and
updates the weights. Everything that differs between runs (weights, order, labels, number of steps, learning rates) is
an argument, so a program is compiled once per network shape and serves every replicate, arm and budget. With plain
SGD a learning rate of zero *is* a frozen layer.
"""

import functools
import json
import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tasks.experiment.data.splits import Examples
from tasks.experiment.errors import DivergedError

VALIDATION_BATCH = 512
EPOCHS_AT_ONCE = 32  # at most, in one call of the program

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; losses and accuracies are means over images, the training ones while training."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


def set_threads() -> None:
    """Let as many replicates train side by side as there are cores, with the same bits on any number of cores.

    The programs of a process share XLA's pool of threads. With a pool of one they take turns, and sums are cut in
    another way, so that the last bits differ; from two on the bits are the same. Must come before TensorFlow's first
    computation (later TensorFlow raises RuntimeError).
    """
    tf.config.threading.set_intra_op_parallelism_threads(max(2, os.cpu_count() or 1))


def train(
    model: Any,
    images: Any,
    training: Examples,
    validation: Examples,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    order: np.random.Generator,
    frozen_epochs: int = 0,
    frozen_layers: tuple[str, ...] = (),
    on_epoch: Callable[[int, Epoch], None] = lambda number, epoch: None,
) -> list[Epoch]:
    """Train `model` in place by plain SGD and return its epochs.

    images: uint8, shape (images, *model input), of which `training` and `validation` name rows; a tensor is used as it
    is, so that several trainings share one copy. `order` shuffles: every example once an epoch, the last batch smaller.
    The layers named in `frozen_layers` keep their weights for the first `frozen_epochs`.
    `on_epoch(number, epoch)` is called after each epoch, counted from 1.

    Raises DivergedError when a loss is not finite, naming the epoch.
    """
    program = compiled(model)
    images = tf.convert_to_tensor(images)
    labels = np.zeros(images.shape[0], np.int32)
    labels[training.rows], labels[validation.rows] = training.labels, validation.labels
    checks = _in_batches([validation.rows], VALIDATION_BATCH, len(labels))
    given = images, tf.constant(labels), checks, tf.constant(len(validation)), tf.constant(len(training))
    constants = [tf.convert_to_tensor(v.value) for v in model.non_trainable_variables]
    steps = math.ceil(len(training) / batch_size)
    at_once = min(EPOCHS_AT_ONCE, math.ceil(len(labels) / batch_size) // steps)
    full, masked = _learning_rates(model, learning_rate, frozen_layers)

    weights = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    history: list[Epoch] = []
    while len(history) < epochs:
        numbers = range(len(history) + 1, min(len(history) + at_once, epochs) + 1)
        shuffled = [training.rows[order.permutation(len(training))] for _ in numbers]
        batches = _in_batches(shuffled, batch_size, len(labels))
        rates = np.tile(full, (EPOCHS_AT_ONCE, 1))
        rates[[i for i, number in enumerate(numbers) if number <= frozen_epochs]] = masked
        weights, figures = program(*given, batches, tf.constant(len(numbers)), tf.constant(rates), weights, constants)
        for number, figure in zip(numbers, figures.numpy().tolist(), strict=False):
            epoch = Epoch(*figure)
            if not (math.isfinite(epoch.loss) and math.isfinite(epoch.validation_loss)):
                raise DivergedError(
                    f"the loss is {epoch.loss} in epoch {number}: training diverged; "
                    f"give a lower learning_rate than {learning_rate:g}"
                )
            history.append(epoch)
            on_epoch(number, epoch)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    return history


def _learning_rates(
    model: Any, learning_rate: float, frozen_layers: tuple[str, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A rate for each variable: while all are trained, and while the frozen layers are."""
    frozen = {id(v) for layer in model.layers if layer.name in frozen_layers for v in layer.trainable_variables}
    full = np.full(len(model.trainable_variables), learning_rate, np.float32)
    return full, np.where([id(v) in frozen for v in model.trainable_variables], np.float32(0), full)


def _in_batches(epochs: list[NDArray[np.int32]], size: int, total: int) -> tf.Tensor:
    """Rows in batches, epoch after epoch, the last batch of each padded: int32, shape (capacity, size).

    The capacity is what all `total` images would need, so that the shape does not depend on how many of them are used.
    """
    batches = np.zeros((math.ceil(total / size), size), np.int32)
    steps = math.ceil(len(epochs[0]) / size)
    for number, rows in enumerate(epochs):
        batches[number * steps : (number + 1) * steps].flat[: len(rows)] = rows
    return tf.constant(batches)


def compiled(model: Any) -> Any:
    """The program of this model's architecture; compiled once, also if several threads want it at the same time."""
    with _one_at_a_time:
        return _program(_architecture(model))


def _architecture(model: Any) -> str:
    """The model's configuration as JSON, without what does not change the computation.

    That is: how weights were initialized, how it was compiled, and memory addresses.
    """

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: item for key, item in value.items() if not key.endswith(("initializer", "_config"))}
            return {key: cleaned(item) for key, item in kept.items() if key != "shared_object_id"}
        return [cleaned(item) for item in value] if isinstance(value, list | tuple) else value

    return json.dumps(cleaned(keras.saving.serialize_keras_object(model)), sort_keys=True)


@functools.cache
def _program(architecture: str) -> Any:
    """The compiled epochs of one architecture: some whole epochs, one after the other, each with its validation."""
    model = keras.saving.deserialize_keras_object(json.loads(architecture))
    binary = model.output_shape[-1] == 1
    convolutional = "Conv" in architecture

    def score(weights: list[Any], constants: list[Any], images: Any, labels: Any, counted: Any) -> tuple[Any, Any]:
        """Sums of loss and of right answers over the counted ones of a batch."""
        # Not as in training: a body of one's own keeps its statistics and drops nothing, as Keras' guide to transfer
        # learning has it. Our own layers know no difference.
        output, _ = model.stateless_call(weights, constants, images, training=False)
        if binary:
            losses = keras.losses.binary_crossentropy(tf.cast(labels, tf.float32)[:, None], output)
            answers = tf.cast(output[:, 0] > 0.5, tf.int32)
        else:
            losses = keras.losses.sparse_categorical_crossentropy(labels, output)
            answers = tf.argmax(output, axis=-1, output_type=tf.int32)
        right = tf.cast(answers == labels, tf.float32)
        return tf.reduce_sum(losses * counted), tf.reduce_sum(right * counted)

    # XLA's convolutions on CPU are far slower inside a loop than TensorFlow's own.
    @tf.function(jit_compile=not convolutional, autograph=False)
    def run_epochs(
        images: Any, labels: Any, checks: Any, n_checks: Any, n: Any, batches: Any, epochs: Any, rates: Any,
        weights: list[Any], constants: list[Any],
    ) -> Any:  # fmt: skip
        """n, n_checks: training and validation examples; batches, checks: see _in_batches; rates: (epochs, variables).

        Returns the new weights and the epochs' figures, (EPOCHS_AT_ONCE, 4) in the order of Epoch's fields.
        """
        steps, check_steps = (-(-count // part.shape[1]) for count, part in ((n, batches), (n_checks, checks)))
        # What can be made ready before the loops is: inside, at 0.1 ms a step, each small operation counts.
        batch_labels, check_labels = tf.gather(labels, batches), tf.gather(labels, checks)
        counted, check_counted = (
            tf.cast(tf.reshape(tf.range(tf.size(part)), part.shape) < count, tf.float32)
            for count, part in ((n, batches), (n_checks, checks))
        )
        nothing = tf.constant(0), tf.constant(0.0), tf.constant(0.0)

        def run_epoch(epoch: Any, figures: Any, *old: Any) -> Any:
            first, rate = epoch * steps, tf.unstack(rates[epoch])

            def train_step(step: Any, loss: Any, right: Any, *old: Any) -> Any:
                at = first + step
                batch = tf.gather(images, batches[at]), batch_labels[at], counted[step]
                with tf.GradientTape() as tape:
                    tape.watch(old)
                    batch_loss, batch_right = score(list(old), constants, *batch)
                    mean_loss = batch_loss / tf.reduce_sum(batch[2])
                gradients = tape.gradient(mean_loss, old)
                new = [w - r * g for w, r, g in zip(old, rate, gradients, strict=True)]
                return step + 1, loss + batch_loss, right + batch_right, *new

            def check_step(step: Any, loss: Any, right: Any) -> Any:
                check = tf.gather(images, checks[step]), check_labels[step], check_counted[step]
                batch_loss, batch_right = score(new, constants, *check)
                return step + 1, loss + batch_loss, right + batch_right

            _, loss, right, *new = tf.while_loop(lambda step, *_: step < steps, train_step, (*nothing, *old))
            _, check_loss, check_right = tf.while_loop(lambda step, *_: step < check_steps, check_step, nothing)
            trained, checked = tf.cast(n, tf.float32), tf.cast(n_checks, tf.float32)
            figure = tf.stack([loss / trained, right / trained, check_loss / checked, check_right / checked])
            return epoch + 1, tf.tensor_scatter_nd_update(figures, [[epoch]], [figure]), *new

        figures = tf.zeros((EPOCHS_AT_ONCE, 4))
        _, figures, *new = tf.while_loop(
            lambda epoch, *_: epoch < epochs, run_epoch, (tf.constant(0), figures, *weights)
        )
        return new, figures

    return run_epochs
