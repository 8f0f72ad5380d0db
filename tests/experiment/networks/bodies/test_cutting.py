"""Models with models nested in them, as Keras' guide to transfer learning builds them, cut anywhere."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.blueprints import BodyBlueprint
from tasks.experiment.networks.bodies.cutting import before_head
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.model_files import save_model
from tasks.experiment.networks.recipe import Training
from tasks.experiment.networks.train_network import Body, train_network
from tasks.experiment.networks.trainer import set_threads
from tests.support.bodies import load_body

set_threads()  # before anything computes
RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (40, 12, 12, 3), np.uint8)
SHAPE = (12, 12, 3)


def backbone(*, top: bool = False, name: str = "backbone") -> Any:
    """A small network with a branch, and the names that large ones have; with `top` it tells 5 classes apart."""
    images = keras.Input(SHAPE)
    x = layers.Conv2D(6, 3, activation="relu", padding="same", name="conv1")(images)
    y = layers.BatchNormalization(name="conv1_bn")(x)
    x = layers.Add(name="conv1_add")([x, y])
    x = layers.Conv2D(8, 3, activation="relu", name="conv2")(x)
    if top:
        x = layers.Dense(5, activation="softmax", name="predictions")(layers.GlobalAveragePooling2D(name="pooled")(x))
    return keras.Model(images, x, name=name)


def guide(inner: Any) -> Any:
    """As in keras.io/guides/transfer_learning: augmentation, Rescaling, a frozen backbone, pooling, dropout, head."""
    inner.trainable = False
    augmentation = [layers.RandomFlip("horizontal"), layers.RandomRotation(0.3)]
    images = keras.Input(SHAPE)
    x = keras.Sequential(augmentation, name="augmentation")(images)
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scale")(x)
    x = inner(x, training=False)
    x = layers.GlobalAveragePooling2D(name="pooling")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    return keras.Model(images, layers.Dense(1, name="head")(x))


@pytest.fixture(scope="module")
def guide_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(4)
    file = tmp_path_factory.mktemp("models") / "guide.keras"
    guide(backbone()).save(file)
    return file


@pytest.mark.parametrize("layer", ["conv1_bn", "conv1_add", "conv2"])
def test_it_is_cut_inside_the_nested_model(guide_file: Path, layer: str) -> None:
    whole = keras.saving.load_model(guide_file)
    inner = whole.get_layer("backbone")
    inside = keras.Model(inner.inputs[0], inner.get_layer(layer).output)
    expected = inside(IMAGES.astype(np.float32) / 127.5 - 1, training=False)
    body = load_body(guide_file, f"backbone/{layer}", SHAPE)
    np.testing.assert_allclose(body(IMAGES, training=False), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "same_as"), [("backbone", "backbone/conv2"), (None, "dropout"), ("dropout", "pooling")]
)
def test_a_nested_model_is_its_output_and_the_default_is_what_the_head_gets(
    guide_file: Path, layer: str | None, same_as: str
) -> None:
    one, other = (load_body(guide_file, each, SHAPE)(IMAGES, training=False) for each in (layer, same_as))
    np.testing.assert_array_equal(one, other)


def headed(*more: Any) -> Any:
    return keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(4, name="last"), *more])


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: keras.Sequential([keras.Input(SHAPE), layers.Rescaling(1 / 255), backbone(top=True)]),
         ["backbone", "pooled"]),
        (lambda: backbone(top=True), ["pooled"]),
        (lambda: backbone(), None),
        (lambda: keras.Sequential([keras.Input(SHAPE), backbone(), layers.GlobalMaxPooling2D()]), None),
        (lambda: keras.Sequential([headed(), keras.Sequential([layers.Dense(2)], name="top")]), ["sequential"]),
        (lambda: headed(keras.Sequential([layers.Dropout(0.5, name="drop"), layers.Dense(2)], name="top")),
         ["top", "drop"]),
        (lambda: headed(layers.Dense(2), layers.Softmax()), ["last"]),
        (lambda: keras.Sequential([keras.Input(SHAPE), layers.Conv2D(4, 3, name="last"), layers.Conv2D(2, 10),
                                   layers.Flatten(), layers.Activation("softmax")]), ["last"]),
        (lambda: keras.Sequential([keras.Input((5,)), layers.Dense(2)]), []),
    ],
)  # fmt: skip
def test_the_default_is_the_last_layer_before_the_head_wherever_that_is(make: Any, path: list[str] | None) -> None:
    keras.utils.clear_session(free_memory=False)  # layer names count from the start
    assert before_head(make()) == path


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        ("conv2", "no layer 'conv2': did you mean backbone/conv2?"),
        ("backbone/conv_2", "did you mean backbone/conv2"),
        ("backbon", "did you mean backbone"),
        ("zzz", "can be augmentation, augmentation/…, scale, backbone, backbone/…, pooling, dropout, head"),
        ("augmentation", "nothing trained up to the layer 'augmentation': give a later one"),
    ],
)
def test_a_wrong_name_is_answered_with_near_ones(guide_file: Path, layer: str, says: str) -> None:
    with pytest.raises(UnusableInputError) as refused:
        load_body(guide_file, layer, SHAPE)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_head_alone_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((8, 8)), layers.Dense(2)]).save(tmp_path / "head.keras")
    with pytest.raises(UnusableInputError, match="has nothing trained before its head"):
        load_body(tmp_path / "head.keras", None, (8, 8))


def test_two_nested_models_may_have_layers_of_one_name(tmp_path: Path) -> None:
    images = keras.Input(SHAPE)
    both = layers.Concatenate()([backbone(name="one")(images), backbone(name="two")(images)])
    keras.Model(images, layers.Dense(2)(layers.Flatten(name="flat")(both))).save(tmp_path / "two.keras")
    two, one = (load_body(tmp_path / "two.keras", layer, SHAPE)(IMAGES) for layer in ("two/conv2", "one/conv2"))
    assert not np.allclose(one, two)
    flat = load_body(tmp_path / "two.keras", None, SHAPE)(IMAGES)
    np.testing.assert_allclose(np.asarray(flat)[:, :8], np.asarray(one)[:, 0, 0], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["backbone/conv1_add", None])
def test_what_is_trained_on_it_answers_in_plain_keras_as_it_did_here(
    guide_file: Path, tmp_path: Path, layer: str | None
) -> None:
    """In a fresh process, without this project. The augmentation is part of the model, and no part of its answers."""
    labels = (IMAGES[:, :6].mean((1, 2, 3)) > IMAGES[:, 6:].mean((1, 2, 3))).astype(np.int32)
    rows = np.arange(40, dtype=np.int32)
    data = TrainingData(IMAGES, Examples(rows[:24], labels[:24]), Examples(rows[24:], labels[24:]), classes=2)
    training = Training(hidden_layers=1, hidden_units=1, learning_rate=0.01, batch_size=8, epochs=4, frozen_epochs=2)
    body = load_body(guide_file, layer, SHAPE)
    model, history = train_network(BodyBlueprint(body), data, training, 5, task="B", body=Body(body))
    save_model(model, tmp_path / "B.keras")
    np.savez(tmp_path / "data.npz", x=IMAGES[24:], y=labels[24:])
    script = (
        "import json, keras, numpy as np\n"
        "model, data = keras.saving.load_model('B.keras'), np.load('data.npz')\n"
        "loss, accuracy = model.evaluate(data['x'], data['y'], verbose=0)\n"
        "answers = model.predict(data['x'], verbose=0)[:, 0].tolist()\n"
        "print(json.dumps([loss, accuracy, answers]))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loss, accuracy, answers = json.loads(done.stdout.splitlines()[-1])
    assert history[-1].validation_loss == pytest.approx(loss, abs=1e-4)
    assert history[-1].validation_accuracy == accuracy
    np.testing.assert_allclose(predict(model, IMAGES[24:]), answers, atol=1e-5)
