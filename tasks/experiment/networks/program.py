"""The compiled program: whole epochs, validation included, as one function of tensors.

Everything that differs between training runs (weights, order, labels, number of steps, learning rates) is an argument,
so a program is compiled once per network shape and serves every pair, arm and budget. Another optimizer is another
`sgd`, another loss another `score`; `compile_for_keras` tells Keras of both.
"""

import functools
import json
import re
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Self
from weakref import WeakKeyDictionary

import keras
import tensorflow as tf

from tasks.experiment.networks.model_files import architecture
from tasks.experiment.networks.recipe import Network

LEGS_AT_ONCE = 32  # at most, in one call of the program
CONVOLUTION = re.compile(r'"class_name": "[^"]*Conv')  # of any kind, at any depth

Tensor = Any  # a TensorFlow tensor: TensorFlow has no types
Score = tuple[Tensor, Tensor]  # loss and right answers, summed over examples; or loss and accuracy, their means
Predict = Callable[[list[Tensor], Tensor], Tensor]  # (weights, rows of images) → the model's outputs

_one_at_a_time = threading.Lock()
_architectures: WeakKeyDictionary[Network, str] = WeakKeyDictionary()


class Batches(NamedTuple):
    """Labelled images in batches, epoch after epoch, padded at the end of each epoch and at the end of all.

    rows: of the image array, int32; labels: int32; counted: 1.0, or 0.0 for what only pads, the same in each epoch and
    so told of the first one only, float32; each of shape (batches, size). examples: how many an epoch has, a scalar.
    """

    rows: Tensor
    labels: Tensor
    counted: Tensor
    examples: Tensor

    def steps(self) -> Tensor:
        """How many batches make an epoch."""
        return -(-self.examples // self.rows.shape[1])

    def batch(self, step: Tensor, first: Tensor = 0) -> Self:
        """The batch of one step alone, of the epoch whose batches begin at `first`."""
        at = first + step
        # Were `counted` read there too, XLA would fuse another loop, and the last bits of the weights would differ.
        return self._replace(rows=self.rows[at], labels=self.labels[at], counted=self.counted[step])


def score(outputs: Tensor, labels: Tensor, counted: Tensor) -> Score:
    """Sums of loss and of right answers over the counted examples of a batch.

    outputs: probabilities, of class 1 in shape (examples, 1) or of each class in shape (examples, classes).
    """
    if outputs.shape[-1] == 1:
        losses = keras.losses.binary_crossentropy(tf.cast(labels, tf.float32)[:, None], outputs)
        answers = tf.cast(outputs[:, 0] > 0.5, tf.int32)
    else:
        losses = keras.losses.sparse_categorical_crossentropy(labels, outputs)
        answers = tf.argmax(outputs, axis=-1, output_type=tf.int32)
    right = tf.cast(answers == labels, tf.float32)
    return tf.reduce_sum(losses * counted), tf.reduce_sum(right * counted)


def sgd(weights: list[Tensor], gradients: list[Tensor], rates: list[Tensor]) -> list[Tensor]:
    """The weights after one step of plain SGD. rates: of each weight; 0 where it is frozen."""
    return [w - r * g for w, r, g in zip(weights, rates, gradients, strict=True)]


def compile_for_keras(model: Network, learning_rate: float) -> None:
    """Tell Keras which loss and optimizer these are, so that `evaluate` and `fit` work on the model."""
    loss = "binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy"
    model.compile(optimizer=keras.optimizers.SGD(learning_rate, name="sgd"), loss=loss, metrics=["accuracy"])


def train_step(
    predict: Predict, batch: Batches, rates: list[Tensor], weights: list[Tensor]
) -> tuple[Score, list[Tensor]]:
    """The batch's score before the step, and the weights after it."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss, right = score(predict(weights, batch.rows), batch.labels, batch.counted)
        mean_loss = loss / tf.reduce_sum(batch.counted)
    return (loss, right), sgd(weights, tape.gradient(mean_loss, weights), rates)


def train_epoch(
    predict: Predict, batches: Batches, epoch: Tensor, rates: list[Tensor], weights: list[Tensor]
) -> tuple[Score, list[Tensor]]:
    """The epoch's mean score over its examples, each as its step found it, and the weights after the epoch."""
    steps = batches.steps()
    first = epoch * steps

    def next_step(step: Tensor, loss: Tensor, right: Tensor, old: list[Tensor]) -> Any:
        (batch_loss, batch_right), new = train_step(predict, batches.batch(step, first), rates, old)
        return step + 1, loss + batch_loss, right + batch_right, new

    _, loss, right, new = tf.while_loop(lambda step, *_: step < steps, next_step, (0, 0.0, 0.0, weights))
    return _means(loss, right, batches), new


def validate(predict: Predict, batches: Batches, weights: list[Tensor]) -> Score:
    """The mean score of these weights over all examples."""

    def next_step(step: Tensor, loss: Tensor, right: Tensor) -> Any:
        batch = batches.batch(step)
        batch_loss, batch_right = score(predict(weights, batch.rows), batch.labels, batch.counted)
        return step + 1, loss + batch_loss, right + batch_right

    steps = batches.steps()
    # One batch after the other: without XLA several would be in memory at once.
    _, loss, right = tf.while_loop(lambda step, *_: step < steps, next_step, (0, 0.0, 0.0), parallel_iterations=1)
    return _means(loss, right, batches)


def _means(loss: Tensor, right: Tensor, batches: Batches) -> Score:
    examples = tf.cast(batches.examples, tf.float32)
    return loss / examples, right / examples


def compiled(model: Network) -> Any:
    """The program of this model's architecture; compiled once, also if several threads want it at the same time.

    program(images, training, judged_images, judged, legs, rates, weights, constants) → (new weights, figures)

    A leg is a number of epochs after which the network is judged. legs: these numbers one after another, int32, then
    zeros, (LEGS_AT_ONCE,). rates: the learning rate of each weight in each leg, (LEGS_AT_ONCE, weights). training,
    judged: Batches. constants: what the model holds beside its weights, such as the mean of the pixels. figures: of
    each leg's last epoch, in the order of Epoch's fields, (LEGS_AT_ONCE, 4); the leg whose judged loss is not finite is
    the last one.
    """
    with _one_at_a_time:
        return _program(_architecture_of(model))


def compiled_answers(model: Network) -> Any:
    """program(images, rows, weights, constants) → the model's outputs for these rows of images, (rows, outputs)."""
    with _one_at_a_time:
        return _answers(_architecture_of(model))


def _architecture_of(model: Network) -> str:
    if model not in _architectures:
        _architectures[model] = architecture(model)
    return _architectures[model]


@functools.cache
def _program(architecture: str) -> Any:
    model = keras.saving.deserialize_keras_object(json.loads(architecture))

    @tf.function(jit_compile=on_xla(architecture), autograph=False)
    def program(
        images: Tensor, training: Batches, judged_images: Tensor, judged: Batches, legs: Tensor, rates: Tensor,
        weights: list[Tensor], constants: list[Tensor],
    ) -> tuple[list[Tensor], Tensor]:  # fmt: skip
        def predict_from(images: Tensor) -> Predict:
            # training=False also while training: a body that you bring keeps its statistics and drops nothing, as
            # Keras' guide to transfer learning advises. To our own layers it makes no difference.
            return lambda weights, rows: model.stateless_call(
                weights, constants, tf.gather(images, rows), training=False
            )[0]  # fmt: skip

        def more(leg: Tensor, epoch: Tensor, figures: Tensor, old: list[Tensor]) -> Tensor:
            # All three are computed, and what XLA does not compile refuses an index that is beyond the end.
            epochs = legs[tf.minimum(leg, LEGS_AT_ONCE - 1)]
            return (leg < LEGS_AT_ONCE) & (epochs > 0) & tf.math.is_finite(figures[leg - 1, 2])

        def run_leg(leg: Tensor, epoch: Tensor, figures: Tensor, old: list[Tensor]) -> Any:
            now = tf.unstack(rates[leg])

            def next_epoch(epoch: Tensor, score: Score, old: list[Tensor]) -> Any:
                return (epoch + 1, *train_epoch(predict_from(images), training, epoch, now, old))

            end = epoch + legs[leg]
            _, trained, new = tf.while_loop(lambda epoch, *_: epoch < end, next_epoch, (epoch, (0.0, 0.0), old))
            figure = tf.stack([*trained, *validate(predict_from(judged_images), judged, new)])
            return leg + 1, end, tf.tensor_scatter_nd_update(figures, [[leg]], [figure]), new

        nothing = tf.zeros((LEGS_AT_ONCE, 4))
        _, _, figures, new = tf.while_loop(more, run_leg, (0, 0, nothing, weights))
        return new, figures

    return program


@functools.cache
def _answers(architecture: str) -> Any:
    model = keras.saving.deserialize_keras_object(json.loads(architecture))

    @tf.function(jit_compile=on_xla(architecture), autograph=False)
    def program(images: Tensor, rows: Tensor, weights: list[Tensor], constants: list[Tensor]) -> Tensor:
        return model.stateless_call(weights, constants, tf.gather(images, rows), training=False)[0]

    return program


def on_xla(architecture: str) -> bool:
    """Whether XLA compiles it: TensorFlow's own convolutions are far faster than XLA's in a loop on a CPU."""
    return not CONVOLUTION.search(architecture)
