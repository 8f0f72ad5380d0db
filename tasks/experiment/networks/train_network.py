"""One network of a pair: build it, let it start from another's hidden layers, train it."""

from dataclasses import dataclass
from typing import Literal

from tasks.experiment.data.splits import TrainingData
from tasks.experiment.networks.architectures import hidden_layers, transfer_hidden_layers
from tasks.experiment.networks.blueprints import Blueprint
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


def starting_network(blueprint: Blueprint, training: Training, classes: int, seed: int, body: Body) -> Network:
    """A Keras model, untrained but for the body's layers."""
    model = blueprint.build(training, classes, seed)
    if body.model is not None:
        transfer_hidden_layers(body.model, model, body.layers)
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

    Raises DivergedError when a loss is not finite.
    """
    from tasks.experiment.networks.program import compile_for_keras

    model = starting_network(blueprint, training, data.classes, seed, body)
    epochs = train_on_task(model, data, training, seed, task=task, layers=body.layers, on_epoch=on_epoch)
    compile_for_keras(model, training.learning_rate)
    return model, epochs


def train_on_task(
    model: Network,
    data: TrainingData,
    training: Training,
    seed: int,
    *,
    task: Literal["A", "B"],
    layers: int | None = None,
    on_epoch: OnEpoch | None = None,
) -> list[Epoch]:
    """Train the model in place, its first hidden `layers` (None: all) frozen for the first `training.frozen_epochs`.

    Without `on_epoch` the network is not judged epoch by epoch, which costs as much as training on few images, and of
    most epochs nothing is known. All networks of one seed and task see the same images in the same order.

    Raises DivergedError when a loss is not finite.
    """
    from tasks.experiment.networks.trainer import train

    return train(
        model, data, training,
        order=generator(seed, f"order/{task}"),
        frozen_layers=tuple(layer.name for layer in hidden_layers(model)[:layers]),
        on_epoch=on_epoch,
    )  # fmt: skip


class Beginning:
    """One seed's untrained network: built once, for all networks of this seed on one task to begin with."""

    def __init__(self, blueprint: Blueprint, training: Training, classes: int, seed: int) -> None:
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
