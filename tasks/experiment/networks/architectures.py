"""The networks: raw pixels in, normalization inside, hidden layers, one head. Another kind is another line in NETWORKS.

All layers are named explicitly: Keras' counters would make the architecture depend on what was built before. Initial
weights depend on the seed and the layer's name only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tasks.experiment.data.pixels import Pixels
from tasks.experiment.networks.recipe import Layer, Network, NetworkKind, Training
from tasks.experiment.randomness import derive_seed


def build_network(training: Training, classes: int, pixels: Pixels, seed: int) -> Network:
    """A Keras model from raw uint8 images to class probabilities; initial weights He-normal, the head's Glorot-uniform.

    Two classes get one sigmoid unit (the probability of class 1), more a softmax.
    """
    import keras

    shape = pixels.mean.shape
    normalization = keras.layers.Normalization(
        axis=tuple(range(1, len(shape) + 1)), mean=pixels.mean, variance=np.square(pixels.std), name="normalization"
    )
    hidden = NETWORKS[training.network].layers(training, shape, seed)
    images = keras.Input(shape, dtype="uint8", name="pixels")
    return keras.Sequential([images, normalization, *hidden, head(classes, seed)], name="network")


def head(classes: int, seed: int) -> Layer:
    """The last layer."""
    import keras

    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    init = keras.initializers.GlorotUniform(seed=derive_seed(seed, f"weights/head/{units}"))
    return keras.layers.Dense(units, activation=activation, kernel_initializer=init, name="head")


def _dense_layers(training: Training, shape: tuple[int, ...], seed: int) -> Iterator[Layer]:
    """The notebook's hidden layers."""
    import keras

    yield keras.layers.Flatten(name="flatten")
    for number in range(training.hidden_layers):
        yield _dense(training.hidden_units, f"hidden_{number + 1}", seed)


def _lenet(training: Training, shape: tuple[int, ...], seed: int) -> Iterator[Layer]:
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


def _dense(units: int, name: str, seed: int) -> Layer:
    import keras

    init = keras.initializers.HeNormal(seed=derive_seed(seed, f"weights/{name}/{units}"))
    return keras.layers.Dense(units, activation="relu", kernel_initializer=init, name=name)


@dataclass(frozen=True)
class Architecture:
    """A kind of network between normalization and head.

    layers(training, shape of an image, seed): its hidden layers, with initial weights. reusable(training): how many of
    them have weights, so that transfer can reuse them.
    """

    layers: Callable[[Training, tuple[int, ...], int], Iterator[Layer]]
    reusable: Callable[[Training], int]


NETWORKS: dict[NetworkKind, Architecture] = {
    "mlp": Architecture(layers=_dense_layers, reusable=lambda training: training.hidden_layers),
    "cnn": Architecture(layers=_lenet, reusable=lambda training: 4),
}


def hidden_layers(model: Network) -> list[Layer]:
    """The layers that transfer reuses, in order: all with weights to train but the head."""
    return [layer for layer in model.layers if layer.trainable_weights and layer.name != "head"]


def transfer_hidden_layers(source: Network, target: Network, layers: int | None = None) -> None:
    """Copy the source's first `layers` hidden layers (None: all) into the target.

    The source stays as it was: no layer is shared.
    """
    pairs = list(zip(hidden_layers(target), hidden_layers(source), strict=True))
    for mine, theirs in pairs[:layers]:
        mine.set_weights(theirs.get_weights())
