"""Keras Applications by name: `keras:MobileNetV2`, or with weights from a file, `keras:MobileNetV2:weights.h5`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.formats.files import given_path, regular
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.bodies.pixels import Scaling
from tasks.experiment.networks.recipe import Network
from tasks.storage.roots import data_root

PREFIX = "keras:"
# Each one's height and width of images, in pixels. (Keras tells that only by building it.)
SIDES = {
    "ConvNeXtTiny": 224, "ConvNeXtSmall": 224, "ConvNeXtBase": 224, "ConvNeXtLarge": 224, "ConvNeXtXLarge": 224,
    "DenseNet121": 224, "DenseNet169": 224, "DenseNet201": 224,
    "EfficientNetB0": 224, "EfficientNetB1": 240, "EfficientNetB2": 260, "EfficientNetB3": 300, "EfficientNetB4": 380,
    "EfficientNetB5": 456, "EfficientNetB6": 528, "EfficientNetB7": 600,
    "EfficientNetV2B0": 224, "EfficientNetV2B1": 240, "EfficientNetV2B2": 260, "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384, "EfficientNetV2M": 480, "EfficientNetV2L": 480,
    "InceptionResNetV2": 299, "InceptionV3": 299, "MobileNet": 224, "MobileNetV2": 224, "MobileNetV3Large": 224,
    "MobileNetV3Small": 224, "NASNetLarge": 331, "NASNetMobile": 224, "ResNet50": 224, "ResNet101": 224,
    "ResNet152": 224, "ResNet50V2": 224, "ResNet101V2": 224, "ResNet152V2": 224, "VGG16": 224, "VGG19": 224,
    "Xception": 299,
}  # fmt: skip


class Application(NamedTuple):
    """weights: the path of a file, as given; None: Keras downloads them."""

    name: str
    weights: str | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images that it was trained on, in pixels."""
        return SIDES[self.name], SIDES[self.name]


def parse_application(source_model: str) -> Application | None:
    """The application that is meant; None if it is the path of a model. Raises ValueError for an unknown name."""
    if not source_model.startswith(PREFIX):
        return None
    name, _, weights = source_model.removeprefix(PREFIX).partition(":")
    if name not in SIDES:
        alike = get_close_matches(name.lower(), {each.lower(): each for each in SIDES}, n=3)
        meant = [each for each in SIDES if each.lower() in alike] or list(SIDES)
        raise ValueError(f"Keras has no application {name!r}: give {PREFIX} and one of {', '.join(meant)}")
    return Application(name, weights or None)


def open_application(given: Application, image_shape: tuple[int, ...]) -> tuple[Network, Scaling]:
    """(the application without its head, its features averaged over the image; what it takes of pixels of 0 to 255).

    Of a file whose weights are those with the head it has its head. Raises UnusableInputError, one sentence, if there
    are no weights, or another network's, or it takes no images of that shape.
    """
    import keras

    make, origin = getattr(keras.applications, given.name), PREFIX + given.name
    if len(image_shape) != 3:
        raise UnusableInputError(f"{origin} takes images in colour, but the data set has grey ones")
    without_head = {"include_top": False, "pooling": "avg", "input_shape": image_shape}
    try:
        model = make(weights=None, **without_head)
    except ValueError as error:
        raise UnusableInputError(
            f"{origin} takes no images of {image_shape[1]} × {image_shape[0]} pixels: give a larger image_size, or none"
        ) from error
    if given.weights:
        file = regular(given_path(given.weights))
        if not _are_loaded(model, file):
            model = make(weights=None, input_shape=image_shape)
            if not _are_loaded(model, file):
                raise UnusableInputError(f"{given.weights} holds no weights of {given.name}, with its head or without")
    else:
        with _downloads_kept():
            try:
                model = make(weights="imagenet", **without_head)
            except Exception as error:  # Keras raises no other class for what can't be fetched
                raise UnusableInputError(
                    f"{origin}: its weights can't be downloaded ({' '.join(str(error).split())[:150]}): give them as a "
                    f"file, {origin}:weights.h5"
                ) from error
    return model, own_scaling(model, sys.modules[make.__module__].preprocess_input)


def _are_loaded(model: Network, file: Path) -> bool:
    """Whether the file's weights are this network's, which then has them."""
    try:
        model.load_weights(file)
    except Exception:  # Keras and h5py have many ways to fail on a file
        return False
    return True


@contextmanager
def _downloads_kept() -> Iterator[None]:
    """Keras has no home here (see tasks/experiment/__init__.py): what it downloads is kept with other downloads."""
    from keras.src.backend import config

    home, ours = config._KERAS_DIR, data_root() / "raw"
    ours.mkdir(parents=True, exist_ok=True)  # else Keras takes /tmp
    config._KERAS_DIR = str(ours)
    try:
        yield
    finally:
        config._KERAS_DIR = home


def own_scaling(model: Network, preprocess: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Scaling:
    """Keras' own preprocessing for the application, measured: it is linear in each channel.

    Networks of Caffe's want blue first: they are given a first kernel for red first instead.
    """
    pixels = np.zeros((4, 1, 1, 3), np.float32)
    pixels[[1, 2, 3], 0, 0, [0, 1, 2]] = 255
    black, *colours = preprocess(pixels)[:, 0, 0].astype(np.float64)
    gains = (np.stack(colours) - black) / 255  # [channel of the image, channel that the network gets]
    if gains[0, 0] == 0:
        first = next(layer for layer in model.layers if layer.weights)
        kernel, *rest = first.get_weights()
        first.set_weights([kernel[:, :, ::-1], *rest])
        gains, black = gains[:, ::-1], black[::-1]
    return Scaling(np.diag(gains).tolist(), black.tolist())
