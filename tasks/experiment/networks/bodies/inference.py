"""What a network makes of images.

A large one by one graph for all networks of an architecture, a few images at a time: called directly, a model holds
what every one of its layers gives until it is done.
"""

import functools
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.networks.bodies.cutting import is_nested
from tasks.experiment.networks.model_files import architecture
from tasks.experiment.networks.recipe import Network
from tasks.experiment.scores import Probabilities

BYTES_AT_ONCE = 1 << 26  # of images as float32, the most that a model should have to hold at a time
BATCH = 32  # images; always as many, so that what one gives does not depend on what else is asked for


def predict(model: Network, images: NDArray[np.uint8]) -> Probabilities:
    """The model's probabilities. (Called without training=False, layers that augment images would do so.)"""
    if any(map(is_nested, model.layers)):
        answers = outputs(model, images)
    else:
        batch = max(1, BYTES_AT_ONCE // (4 * images[0].size))
        parts = (images[i : i + batch] for i in range(0, len(images), batch))
        answers = np.concatenate([np.asarray(model(part, training=False)) for part in parts])
    return answers[:, 0] if answers.shape[1] == 1 else answers


def outputs(model: Network, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The model's output for each image, in inference: shape (images, *shape of one output)."""
    import tensorflow as tf

    run = _graph(architecture(model))
    values = [[tf.convert_to_tensor(variable.value) for variable in each] for each in _variables(model)]
    made = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        padded = np.concatenate([part, np.repeat(part[:1], BATCH - len(part), axis=0)])
        made.append(run(tf.constant(padded), *values).numpy()[: len(part)])
    return np.concatenate(made)


def _variables(model: Network) -> tuple[list[Any], list[Any]]:
    return model.trainable_variables, model.non_trainable_variables


@functools.cache
def _graph(architecture: str) -> Any:
    import keras
    import tensorflow as tf

    model = keras.saving.deserialize_keras_object(json.loads(architecture))

    @tf.function(autograph=False)
    def run(images: Any, weights: list[Any], constants: list[Any]) -> Any:
        return model.stateless_call(weights, constants, images, training=False)[0]

    return run
