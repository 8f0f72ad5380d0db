"""One network of a replicate: build it, let it start from another's hidden layers, train it."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.randomness import generator
from tasks.experiment.recipe import Training
from tasks.experiment.splits import Examples

Pixels = tuple[NDArray[np.float32], NDArray[np.float32]]  # mean and standard deviation, each of one image's shape


def train_network(
    training: Training,
    pixels: Pixels,
    images: Any,
    examples: dict[str, Examples],
    seed: int,
    *,
    task: Literal["A", "B"],
    classes: int,
    body: Any = None,
    layers: int | None = None,
    on_epoch: Callable[[int, Any], None] = lambda number, epoch: None,
) -> tuple[Any, list[Any]]:
    """A trained Keras model, compiled so that `evaluate` works, and its epochs.

    images: uint8, (images, *shape of one), of which `examples` ("train", "valid") name rows. `body`: the model whose
    first `layers` hidden layers (None: all) the network starts from; those are frozen for `training.frozen_epochs`.
    All networks of a seed and task see the same images in the same order.

    Raises DivergedError when a loss is not finite.
    """
    import keras

    from tasks.experiment.networks import build_network, hidden_layers, transfer_hidden_layers
    from tasks.experiment.trainer import train

    model = build_network(training, classes, *pixels, seed)
    if body:
        transfer_hidden_layers(body, model, layers)
    history = train(
        model,
        images,
        examples["train"],
        examples["valid"],
        learning_rate=training.learning_rate,
        batch_size=training.batch_size,
        epochs=training.epochs,
        order=generator(seed, f"order/{task}"),
        frozen_epochs=training.frozen_epochs,
        frozen_layers=tuple(layer.name for layer in hidden_layers(model)[:layers]),
        on_epoch=on_epoch,
    )
    loss = "binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy"
    model.compile(optimizer=keras.optimizers.SGD(training.learning_rate, name="sgd"), loss=loss, metrics=["accuracy"])
    return model, history
