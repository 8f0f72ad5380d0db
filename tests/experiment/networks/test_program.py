import json
from collections.abc import Callable

import keras
import pytest
from keras import layers

from tasks.experiment.networks.program import on_xla
from tasks.experiment.networks.recipe import Layer


@pytest.mark.parametrize(
    ("shape", "hidden", "expected"),
    [
        ((8, 8), lambda: [layers.Flatten(), layers.Dense(4, name="Converter")], True),
        ((8, 8), lambda: [layers.Conv1D(4, 3)], False),
        ((8, 8, 1), lambda: [keras.Sequential([layers.Conv2D(4, 3)])], False),
        ((8, 8, 1), lambda: [layers.TimeDistributed(layers.Conv1D(4, 3))], False),
        ((8, 8, 1), lambda: [layers.DepthwiseConv2D(3)], False),
    ],
)
def test_xla_compiles_models_without_a_convolution_at_any_depth(
    shape: tuple[int, ...], hidden: Callable[[], list[Layer]], expected: bool
) -> None:
    model = keras.Sequential([keras.Input(shape), *hidden()])
    assert on_xla(json.dumps(keras.saving.serialize_keras_object(model))) is expected
