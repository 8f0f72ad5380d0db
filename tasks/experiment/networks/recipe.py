"""What is trained, how, and what each epoch came to: the words of this room, light to import."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict

from tasks.experiment.scores import Metric

Network = Any  # a Keras model: Keras has no types
Layer = Any  # a Keras layer
NetworkKind = Literal["mlp", "cnn"]  # what each one is: NETWORKS in architectures.py
TuningKind = Literal["none", "cv"]


class Training(BaseModel):
    """Plain SGD on shuffled batches, by which a network of some kind is trained.

    tuning: "cv" if learning rate and epochs are chosen by cross-validation, and nothing is frozen; what stands here of
    these three then plays no part. metric: what tuning judges by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    network: NetworkKind = "mlp"
    hidden_layers: int
    hidden_units: int
    learning_rate: float
    batch_size: int
    epochs: int
    frozen_epochs: int = 0
    tuning: TuningKind = "none"
    metric: Metric = "accuracy"


class TunedRecipe(TypedDict):
    """How one network is trained, chosen by cross-validation inside its training images.

    edge: at which end of what was tried it is, or "" if inside. error: of the held-out images, at this recipe. rates,
    most_epochs, folds: what was tried.
    """

    learning_rate: float
    epochs: int
    edge: str
    error: float
    rates: list[float]
    most_epochs: int
    folds: int


@dataclass(frozen=True)
class Epoch:
    """Means over images. Those of the training images are taken while the weights change, batch by batch."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


OnEpoch = Callable[[int, Epoch], None]  # is told of each epoch and its number, counted from 1
OnStep = Callable[[int, int], None]  # is told of what takes long: how much is done, of how much


def unreported(done: int, total: int) -> None:
    """An OnStep for nobody."""
