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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tasks.experiment.splits import Examples

VALIDATION_BATCH = 500


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; losses and accuracies are means over images, the training ones while training."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


class DivergedError(ArithmeticError):
    """The loss is no longer a finite number."""


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
    program = _program(_architecture(model))
    images = tf.convert_to_tensor(images)
    steps = math.ceil(len(training) / batch_size)
    total = images.shape[0]
    checks = _batches(validation, np.arange(len(validation)), VALIDATION_BATCH, total)
    check_steps = tf.constant(math.ceil(len(validation) / VALIDATION_BATCH))
    frozen = {id(v) for layer in model.layers if layer.name in frozen_layers for v in layer.trainable_variables}
    full = np.full(len(model.trainable_variables), learning_rate, np.float32)
    masked = np.array([0 if id(v) in frozen else learning_rate for v in model.trainable_variables], np.float32)

    weights = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    history = []
    for number in range(1, epochs + 1):
        batches = _batches(training, order.permutation(len(training)), batch_size, total)
        rates = tf.constant(masked if number <= frozen_epochs else full)
        weights, figures = program(images, batches, tf.constant(steps), checks, check_steps, rates, weights)
        epoch = Epoch(*(float(figure) for figure in figures))
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


def _batches(examples: Examples, order: NDArray[Any], size: int, total: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """(rows, labels, weights), each (capacity, size), padded with weight 0.

    The capacity is what all `total` images would need, so that it does not depend on how many of them are used.
    """
    shape = (math.ceil(total / size), size)
    rows, labels = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    weights = np.zeros(shape, np.float32)
    rows.flat[: len(order)] = examples.rows[order]
    labels.flat[: len(order)] = examples.labels[order]
    weights.flat[: len(order)] = 1
    return tf.constant(rows), tf.constant(labels), tf.constant(weights)


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
    """The compiled epoch of one architecture; it returns (new weights, the four figures of Epoch)."""
    model = keras.saving.deserialize_keras_object(json.loads(architecture))
    constants = [v.value for v in model.non_trainable_variables]
    binary = model.output_shape[-1] == 1
    convolutional = any(isinstance(layer, keras.layers.Conv2D) for layer in model.layers)

    def score(weights: list[Any], images: Any, batch: tuple[Any, Any, Any], training: bool) -> tuple[Any, Any, Any]:
        """Sums over one batch: loss, right answers, images."""
        rows, labels, counted = batch
        output, _ = model.stateless_call(weights, constants, tf.gather(images, rows), training=training)
        if binary:
            losses = keras.losses.binary_crossentropy(tf.cast(labels, tf.float32)[:, None], output)
            answers = tf.cast(output[:, 0] > 0.5, tf.int32)
        else:
            losses = keras.losses.sparse_categorical_crossentropy(labels, output)
            answers = tf.argmax(output, axis=-1, output_type=tf.int32)
        right = tf.cast(answers == labels, tf.float32)
        return tf.reduce_sum(losses * counted), tf.reduce_sum(right * counted), tf.reduce_sum(counted)

    # XLA's convolutions on CPU are far slower inside a loop than TensorFlow's own.
    @tf.function(jit_compile=not convolutional, autograph=False)
    def run_epoch(
        images: Any, batches: Any, steps: Any, checks: Any, check_steps: Any, rates: Any, weights: list[Any]
    ) -> Any:
        def train_step(step: Any, loss: Any, right: Any, *old: Any) -> Any:
            batch = tuple(part[step] for part in batches)
            with tf.GradientTape() as tape:
                tape.watch(old)
                batch_loss, batch_right, count = score(list(old), images, batch, training=True)
                mean_loss = batch_loss / count
            gradients = tape.gradient(mean_loss, old)
            new = [w - rates[i] * g for i, (w, g) in enumerate(zip(old, gradients, strict=True))]
            return step + 1, loss + batch_loss, right + batch_right, *new

        def check_step(step: Any, loss: Any, right: Any) -> Any:
            batch_loss, batch_right, _ = score(new, images, tuple(part[step] for part in checks), training=False)
            return step + 1, loss + batch_loss, right + batch_right

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        _, loss, right, *new = tf.while_loop(lambda step, *_: step < steps, train_step, (*start, *weights))
        _, check_loss, check_right = tf.while_loop(lambda step, *_: step < check_steps, check_step, start)
        n, checked = tf.reduce_sum(batches[2]), tf.reduce_sum(checks[2])
        return list(new), (loss / n, right / n, check_loss / checked, check_right / checked)

    return run_epoch
