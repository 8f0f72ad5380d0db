"""The networks: raw pixels in, normalization inside, hidden layers, one head.

All layers are named explicitly: Keras' counters would make the architecture depend on what was built before. Initial
weights depend on the seed and the layer's name only.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.networks.recipe import Training
from tasks.experiment.randomness import derive_seed

Pixels = tuple[NDArray[np.float32], NDArray[np.float32]]  # mean and standard deviation, each of one image's shape


def build_network(training: Training, classes: int, pixels: Pixels, seed: int) -> Any:
    """A Keras model from raw uint8 images to class probabilities; initial weights He-normal, the head's Glorot-uniform.

    Two classes get one sigmoid unit (the probability of class 1), more a softmax.
    """
    import keras

    mean, std = pixels
    each_pixel = tuple(range(1, mean.ndim + 1))
    return keras.Sequential(
        [
            keras.Input(mean.shape, dtype="uint8", name="pixels"),
            keras.layers.Normalization(axis=each_pixel, mean=mean, variance=np.square(std), name="normalization"),
            *(_lenet(mean.shape, seed) if training.network == "cnn" else _dense_layers(training, seed)),
            head(classes, seed),
        ],
        name="network",
    )


def head(classes: int, seed: int) -> Any:
    """The last layer."""
    import keras

    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    init = keras.initializers.GlorotUniform(seed=derive_seed(seed, f"weights/head/{units}"))
    return keras.layers.Dense(units, activation=activation, kernel_initializer=init, name="head")


def _dense_layers(training: Training, seed: int) -> Iterator[Any]:
    """The notebook's hidden layers."""
    import keras

    yield keras.layers.Flatten(name="flatten")
    for number in range(training.hidden_layers):
        yield _dense(training.hidden_units, f"hidden_{number + 1}", seed)


def _lenet(shape: tuple[int, ...], seed: int) -> Iterator[Any]:
    """LeNet-5's hidden layers (LeCun et al. 1998), with ReLU and maxima as is usual today, padded for small images."""
    import keras

    if len(shape) == 2:
        yield keras.layers.Reshape((*shape, 1), name="channel")
    for number, filters in ((1, 6), (2, 16)):
        init = keras.initializers.HeNormal(seed=derive_seed(seed, f"weights/hidden_{number}/{filters}"))
        yield keras.layers.Conv2D(filters, 5, padding="same", activation="relu", kernel_initializer=init,
                                  name=f"hidden_{number}")  # fmt: skip
        yield keras.layers.MaxPooling2D(2, padding="same", name=f"pooling_{number}")
    yield keras.layers.Flatten(name="flatten")
    yield _dense(120, "hidden_3", seed)
    yield _dense(84, "hidden_4", seed)


def _dense(units: int, name: str, seed: int) -> Any:
    import keras

    init = keras.initializers.HeNormal(seed=derive_seed(seed, f"weights/{name}/{units}"))
    return keras.layers.Dense(units, activation="relu", kernel_initializer=init, name=name)


def hidden_layers(model: Any) -> list[Any]:
    """The layers that transfer reuses, in order: all with weights to train but the head."""
    return [layer for layer in model.layers if layer.trainable_weights and layer.name != "head"]


def transfer_hidden_layers(source: Any, target: Any, layers: int | None = None) -> None:
    """Copy the source's first `layers` hidden layers (None: all) into the target.

    The source stays as it was: no layer is shared.
    """
    pairs = list(zip(hidden_layers(target), hidden_layers(source), strict=True))
    for mine, theirs in pairs[:layers]:
        mine.set_weights(theirs.get_weights())
