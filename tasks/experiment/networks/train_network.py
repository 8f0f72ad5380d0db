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

    All networks of one seed and task see the same images in the same order.

    Raises DivergedError when a loss is not finite.
    """
    from tasks.experiment.networks.program import compile_for_keras
    from tasks.experiment.networks.trainer import train

    model = starting_network(blueprint, training, data.classes, seed, body)
    epochs = train(
        model,
        data,
        training,
        order=generator(seed, f"order/{task}"),
        frozen_layers=tuple(layer.name for layer in hidden_layers(model)[: body.layers]),
        on_epoch=on_epoch,
    )
    compile_for_keras(model, training.learning_rate)
    return model, epochs
