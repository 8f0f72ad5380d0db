"""One network of a pair: build it, let it start from another's hidden layers, train it."""

import threading
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.networks.architectures import hidden_layers, transfer_hidden_layers
from tasks.experiment.networks.blueprints import Blueprint, BodyBlueprint
from tasks.experiment.networks.bodies.frozen import head_inputs
from tasks.experiment.networks.recipe import Epoch, Network, OnEpoch, Training
from tasks.experiment.randomness import generator


@dataclass(frozen=True)
class Body:
    """The hidden layers that a network starts from: the first `layers` (None: all) of `model`.

    model: None if they start from their initial weights. Either way they are frozen for the first
    `training.frozen_epochs`.
    """

    model: Network | None
    layers: int | None = None


RANDOM = Body(model=None)
_one_large_at_a_time = threading.Lock()  # its convolutions use all cores


def starting_network(blueprint: Blueprint, training: Training, classes: int, seed: int, body: Body) -> Network:
    """A Keras model, untrained but for the body's layers."""
    model = blueprint.build(training, classes, seed)
    if body.model is not None:
        transfer_hidden_layers(body.model, model, body.layers)
    return model


def lost_network(blueprint: Blueprint, training: Training, classes: int, seed: int) -> Network:
    """What is left of a network that diverged: its weights are no numbers."""
    model = blueprint.build(training, classes, seed)
    for variable in model.trainable_variables:
        variable.assign(np.full(variable.shape, np.nan))
    return model


def train_network(
    blueprint: Blueprint,
    data: TrainingData,
    training: Training,
    seed: int,
    *,
    task: Literal["A", "B"],
    body: Body = RANDOM,
    on_epoch: OnEpoch = lambda number, epoch: None,
) -> tuple[Network, list[Epoch]]:
    """A trained Keras model, compiled so that `evaluate` and `fit` work, and its epochs.

    All networks of one seed and task see the same images in the same order.

    Raises DivergedError when a loss is not finite.
    """
    from tasks.experiment.networks.program import compile_for_keras

    model = starting_network(blueprint, training, data.classes, seed, body)
    brought = isinstance(blueprint, BodyBlueprint)
    epochs = train_from(model, data, training, seed, task=task, layers=body.layers, on_epoch=on_epoch, brought=brought)
    compile_for_keras(model, training.learning_rate)
    return model, epochs


def train_from(
    model: Network,
    data: TrainingData,
    training: Training,
    seed: int,
    *,
    task: Literal["A", "B"],
    layers: int | None = None,
    brought: bool = False,
    on_epoch: OnEpoch | None = None,
) -> list[Epoch]:
    """Train the model in place, its first hidden `layers` (None: all) frozen for the first `training.frozen_epochs`.

    brought: its body is one that was trained elsewhere, which may be large. Without `on_epoch` a network is not judged
    epoch by epoch, which costs as much as training on few images, and of most epochs nothing is known.

    Raises DivergedError when a loss is not finite.
    """
    from tasks.experiment.networks.trainer import Portion, train

    order, frozen = generator(seed, f"order/{task}"), tuple(each.name for each in hidden_layers(model)[:layers])
    if not brought:
        return train(model, data, training, order=order, frozen_layers=frozen, on_epoch=on_epoch)
    alone = training.frozen_epochs if frozen else 0
    epochs = _train_head(model, data, training.model_copy(update={"epochs": alone}), order, on_epoch)
    rest = training.model_copy(update={"epochs": training.epochs - alone, "frozen_epochs": 0})
    if rest.epochs:
        # An epoch may take minutes, and what a batch's gradient needs hundreds of megabytes.
        portion = Portion(first=alone + 1, epochs=1, validation_batch=32)
        with _one_large_at_a_time:
            epochs += train(model, data, rest, order=order, on_epoch=on_epoch, portion=portion)
    return epochs


def _train_head(
    model: Network, data: TrainingData, training: Training, order: np.random.Generator, on_epoch: OnEpoch | None
) -> list[Epoch]:
    """Train the model's last layer alone, on what the layers below make of each image once."""
    import keras
    import tensorflow as tf

    from tasks.experiment.networks.trainer import train

    if not training.epochs:
        return []
    training_part, validation_part = data.training, data.validation
    rows, places = np.unique(np.concatenate([training_part.rows, validation_part.rows]), return_inverse=True)
    here, there = np.split(places.astype(np.int32), [len(training_part)])
    features = head_inputs(model, tf.gather(data.images, rows).numpy())
    on_features = TrainingData(
        features, Examples(here, training_part.labels), Examples(there, validation_part.labels), data.classes
    )
    head = keras.Sequential([keras.Input(features.shape[1:], name="features"), model.layers[-1]], name="head_alone")
    unfrozen = training.model_copy(update={"frozen_epochs": 0})
    return train(head, on_features, unfrozen, order=order, on_epoch=on_epoch)


class Beginning:
    """One seed's untrained network: built once, for all networks of this seed on one task to begin with.

    brought: as `train_from` wants to know it.
    """

    def __init__(self, blueprint: Blueprint, training: Training, classes: int, seed: int) -> None:
        self.brought = isinstance(blueprint, BodyBlueprint)
        self._build = lambda: blueprint.build(training, classes, seed)
        self._model = self._build()
        self._initial = self._model.get_weights()

    def network(self, body: Body) -> Network:
        """A Keras model, untrained but for the body's layers; the same object each time, so the last one is gone."""
        self._model.set_weights(self._initial)
        if body.model is not None:
            transfer_hidden_layers(body.model, self._model, body.layers)
        return self._model

    def copy(self, learning_rate: float) -> Network:
        """The network as it is now, to keep: compiled so that `evaluate` and `fit` work."""
        from tasks.experiment.networks.program import compile_for_keras

        model = self._build()
        model.set_weights(self._model.get_weights())
        compile_for_keras(model, learning_rate)
        return model
