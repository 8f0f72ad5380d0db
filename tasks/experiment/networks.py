"""The notebook's network: pixels in, normalization inside, hidden layers, one head."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.randomness import derive_seed
from tasks.experiment.recipe import Training


def build_network(
    training: Training, classes: int, mean: NDArray[np.float32], std: NDArray[np.float32], seed: int
) -> Any:
    """A Keras model from raw uint8 images of the shape of `mean` to class probabilities.

    Two classes get one sigmoid unit (the probability of class 1), more a softmax. Initial weights (He-normal hidden
    layers, Glorot-uniform head) depend on the seed and the layer's name only. Layers are named explicitly: Keras'
    counters would make the architecture depend on what was built before.
    """
    import keras

    def dense(units: int, name: str, initializer: Any, activation: str) -> Any:
        init = initializer(seed=derive_seed(seed, f"weights/{name}/{units}"))
        return keras.layers.Dense(units, activation=activation, kernel_initializer=init, name=name)

    each_pixel = tuple(range(1, mean.ndim + 1))
    he, glorot = keras.initializers.HeNormal, keras.initializers.GlorotUniform
    head = (1, "head", glorot, "sigmoid") if classes == 2 else (classes, "head", glorot, "softmax")
    return keras.Sequential(
        [
            keras.Input(mean.shape, dtype="uint8", name="pixels"),
            keras.layers.Normalization(axis=each_pixel, mean=mean, variance=np.square(std), name="normalization"),
            keras.layers.Flatten(name="flatten"),
            *(dense(training.hidden_units, f"hidden_{i + 1}", he, "relu") for i in range(training.hidden_layers)),
            dense(*head),
        ],
        name="network",
    )


def hidden_layers(model: Any) -> list[Any]:
    """The layers that transfer reuses, in order."""
    return [layer for layer in model.layers if layer.name.startswith("hidden_")]


def transfer_hidden_layers(source: Any, target: Any, layers: int | None = None) -> None:
    """Copy the source's first `layers` hidden layers (None: all) into the target.

    The source stays as it was: no layer is shared.
    """
    pairs = list(zip(hidden_layers(target), hidden_layers(source), strict=True))
    for mine, theirs in pairs[:layers]:
        mine.set_weights(theirs.get_weights())
