"""Model files of other kinds, and such as need code that is not Keras' own: a sentence that says how to mend it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.model_files import load_trained


@keras.saving.register_keras_serializable("mine")
class Doubled(layers.Layer):
    def call(self, inputs: Any) -> Any:
        return 2 * inputs


class Unregistered(Doubled):
    pass


@keras.saving.register_keras_serializable("mine")
def twice(values: Any) -> Any:
    return 2 * values


def small(*more: Any) -> Any:
    return keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(4, name="hidden"), *more])


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (
            Doubled(name="double"),
            "the layer 'double' needs the class Doubled (registered as mine>Doubled), which is not",
        ),
        (Unregistered(name="double"), "the layer 'double' needs the class Unregistered (registered as Unregistered)"),
        (layers.Dense(2, activation=twice, name="out"), "the layer 'out' needs the function mine>twice, which is not"),
        (keras.Sequential([Doubled(name="inner")]), "the layer 'inner' needs the class Doubled"),
        (layers.Lambda(lambda x: x, name="code"), "has a Lambda layer or function, in 'code'"),
    ],
)
def test_a_layer_that_is_not_keras_own_is_named(tmp_path: Path, extra: Any, says: str) -> None:
    small(extra).save(tmp_path / "mine.keras")
    with pytest.raises(UnusableInputError) as refused:
        load_trained(tmp_path / "mine.keras")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def of_no_part(truth: Any, answer: Any) -> Any:
    return keras.ops.mean(answer - truth)


def test_how_it_was_compiled_does_not_matter(tmp_path: Path) -> None:
    model = small()
    model.compile("sgd", loss=of_no_part)
    model.save(tmp_path / "compiled.keras")
    load_trained(tmp_path / "compiled.keras")


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.slow
def test_an_h5_file_is_converted_by_the_lines_of_the_sentence(tmp_path: Path) -> None:
    model = small(layers.Dense(2))
    model.save(tmp_path / "old.h5")
    with pytest.raises(UnusableInputError, match="older format") as refused:
        load_trained(tmp_path / "old.h5")
    lines = "\n".join(re.findall("`([^`]+)`", str(refused.value)))
    subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=True, capture_output=True)
    images = np.ones((3, 8, 8), np.float32)
    np.testing.assert_array_equal(load_trained(tmp_path / "old.keras")(images), model(images))


def test_weights_without_a_model_are_said_to_be_that(tmp_path: Path) -> None:
    model = small(layers.Dense(2))
    model.save_weights(tmp_path / "old.weights.h5")
    (tmp_path / "old.weights.h5").with_name("copy.h5").write_bytes((tmp_path / "old.weights.h5").read_bytes())
    for name in ("old.weights.h5", "copy.h5"):
        with pytest.raises(UnusableInputError, match="holds weights without a model"):
            load_trained(tmp_path / name)


def test_a_saved_model_folder_is_told_from_other_folders(tmp_path: Path) -> None:
    small(layers.Dense(2)).export(tmp_path / "exported", verbose=False)
    with pytest.raises(UnusableInputError, match=r"is a SavedModel, of which Keras 3 .* `import tf_keras`") as refused:
        load_trained(tmp_path / "exported")
    assert 'save("exported.h5")' in str(refused.value)
    with pytest.raises(UnusableInputError, match=r"suffix \.keras"):
        load_trained(tmp_path)
