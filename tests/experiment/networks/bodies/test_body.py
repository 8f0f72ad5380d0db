"""Models trained outside of this project by plain Keras, as bodies."""

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tasks.experiment.data.pixels import Pixels
from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.architectures import build_network, hidden_layers, transfer_hidden_layers
from tasks.experiment.networks.blueprints import BodyBlueprint
from tasks.experiment.networks.bodies.body import build_on_body, draw_like
from tasks.experiment.networks.model_files import load_network, save_model
from tasks.experiment.networks.recipe import Epoch, Training
from tasks.experiment.networks.train_network import RANDOM, Body, train_network
from tasks.experiment.networks.trainer import set_threads, train
from tasks.experiment.randomness import generator
from tests.support.bodies import load_body
from tests.walkthrough import digits

set_threads()  # before anything computes
X, Y = digits.load()
ROWS = np.flatnonzero(np.isin(Y, (8, 9))).astype(np.int32)
LABELS = (Y[ROWS] == 9).astype(np.int32)
DATA = TrainingData(X, Examples(ROWS[:100], LABELS[:100]), Examples(ROWS[100:], LABELS[100:]), classes=2)
PIXELS = Pixels(np.full((8, 8), 80, np.float32), np.full((8, 8), 90, np.float32))
TRAINING = Training(hidden_layers=1, hidden_units=1, learning_rate=0.005, batch_size=32, epochs=10, frozen_epochs=10)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digits.write_model(tmp_path_factory.mktemp("models") / "digits.keras")


@pytest.fixture(scope="module")
def body(model_file: Path) -> Any:
    return load_body(model_file, "features", (8, 8))


def trained_on(body: Any, training: Training) -> tuple[Any, list[Epoch]]:
    return train_network(BodyBlueprint(body), DATA, training, 5, task="B", body=Body(body))


def test_the_body_gives_what_the_layer_of_the_file_does_on_raw_pixels(model_file: Path, body: Any) -> None:
    whole = keras.saving.load_model(model_file)
    features = keras.Model(whole.inputs[0], whole.get_layer("features").output)
    np.testing.assert_allclose(body(X[:50]), features(X[:50, ..., None].astype(np.float32)), rtol=1e-5, atol=1e-5)


def test_the_layer_before_the_last_is_meant_if_none_is_named(model_file: Path, body: Any) -> None:
    np.testing.assert_array_equal(load_body(model_file, None, (8, 8))(X[:9]), body(X[:9]))


def test_a_stored_body_is_the_same_body_and_equal_bodies_are_equal_files(model_file: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_model(load_body(model_file, "features", (8, 8)), tmp_path / f"{name}.keras")
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()
    stored = load_network(tmp_path / "one.keras")
    np.testing.assert_array_equal(stored(X[:9]), load_body(model_file, "features", (8, 8))(X[:9]))


def test_a_network_on_it_starts_from_initial_weights_of_the_seed(body: Any) -> None:
    one, same, other = (build_on_body(body, 3, seed) for seed in (1, 1, 2))
    for mine, equal, different in zip(one.get_weights(), same.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, equal)
        assert np.ptp(mine) == 0 or not np.array_equal(mine, different)  # biases start at 0 whatever the seed
    assert one.output_shape == (None, 3)


def test_trained_with_it_frozen_only_the_head_moves_and_the_file_stays(model_file: Path, body: Any) -> None:
    digest, before = hashlib.sha256(model_file.read_bytes()).digest(), body.get_weights()
    model, history = trained_on(body, TRAINING)
    for mine, theirs in zip(hidden_layers(model)[0].get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert history[-1].loss < history[0].loss
    thawed = TRAINING.model_copy(update={"frozen_epochs": 0})
    moved, _ = trained_on(body, thawed)
    assert not np.array_equal(hidden_layers(moved)[0].get_weights()[0], before[0])
    assert all(np.array_equal(a, b) for a, b in zip(before, body.get_weights(), strict=True))
    assert hashlib.sha256(model_file.read_bytes()).digest() == digest


def test_its_effect_is_visible(body: Any) -> None:
    """Ten epochs of 100 images: with a body that knows other digits far fewer errors than without."""
    tuned = TRAINING.model_copy(update={"frozen_epochs": 2})
    _, with_body = trained_on(body, tuned)
    _, without = train_network(BodyBlueprint(body), DATA, tuned, 5, task="B", body=RANDOM)
    assert with_body[-1].validation_accuracy > without[-1].validation_accuracy + 0.1


def test_statistics_of_batches_are_those_of_the_file_also_in_the_trainer(body: Any) -> None:
    """Batch normalization runs as in use: Keras' own `evaluate` of the trained model agrees with the trainer."""
    model, history = trained_on(body, TRAINING)
    loss, accuracy = model.evaluate(X[ROWS[100:]], LABELS[100:], verbose=0)
    assert history[-1].validation_loss == pytest.approx(loss, abs=1e-5)
    assert history[-1].validation_accuracy == pytest.approx(accuracy, abs=1e-6)


def test_one_of_our_own_models_can_be_a_source(tmp_path: Path) -> None:
    own = build_network(TRAINING.model_copy(update={"hidden_units": 16, "hidden_layers": 2}), 8, PIXELS, 3)
    save_model(own, tmp_path / "A.keras")
    loaded = load_body(tmp_path / "A.keras", "hidden_2", (8, 8))
    features = keras.Model(own.inputs[0], own.get_layer("hidden_2").output)
    np.testing.assert_allclose(loaded(X[:9]), features(X[:9]), rtol=1e-5)
    network = build_on_body(loaded, 2, 1)
    transfer_hidden_layers(loaded, network)
    train(network, DATA, TRAINING, order=generator(1, "order"))


def all_hidden_weights(model: Any) -> list[np.ndarray]:
    return [weights for layer in hidden_layers(model) for weights in layer.get_weights()]


def test_drawn_like_a_body_its_kernels_and_biases_keep_their_means_and_deviations_and_no_more() -> None:
    """Biases of 300 units: their deviation is known to 4 %."""
    wide = TRAINING.model_copy(update={"hidden_units": 300, "hidden_layers": 2})
    source, drawn, again, other = (build_network(wide, 2, PIXELS, seed) for seed in (3, 4, 4, 4))
    rng = np.random.default_rng(1)
    for layer, means, deviations in zip(
        hidden_layers(source), ((0.1, -1), (0.02, 2)), ((0.2, 3), (0.05, 1)), strict=True
    ):
        shapes = [weights.shape for weights in layer.get_weights()]
        layer.set_weights([rng.normal(*each) for each in zip(means, deviations, shapes, strict=True)])
    head = drawn.layers[-1].get_weights()[0]
    for model, seed in ((drawn, 7), (again, 7), (other, 8)):
        draw_like(source, model, seed)
    for mine, theirs in zip(all_hidden_weights(drawn), all_hidden_weights(source), strict=True):
        error = theirs.std() / np.sqrt(theirs.size)
        assert mine.mean() == pytest.approx(theirs.mean(), abs=4 * error)
        assert mine.std() == pytest.approx(theirs.std(), abs=4 * error / np.sqrt(2))
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] == pytest.approx(0, abs=4 / np.sqrt(theirs.size))
    for mine, same, new in zip(*map(all_hidden_weights, (drawn, again, other)), strict=True):
        np.testing.assert_array_equal(mine, same)
        assert not np.array_equal(mine, new)
    np.testing.assert_array_equal(drawn.layers[-1].get_weights()[0], head)


def dense(*shape: int, last: int = 3) -> Any:
    return [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(4), keras.layers.Dense(last)]


def two_inputs() -> Any:
    inputs = [keras.Input((8, 8)) for _ in range(2)]
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Add()(inputs)))


@pytest.mark.parametrize(
    ("make", "layer", "says"),
    [
        (lambda: keras.Sequential(dense(28, 28, 1)), None, "of the shape (28, 28, 1), but those of the data set"),
        (lambda: keras.Sequential(dense(8, 8, 3)), None, "(8, 8, 3), but those of the data set have the shape (8, 8)"),
        (
            lambda: keras.Sequential(dense(8, 8)),
            "hiden",
            "no layer 'hiden': source_layer can be flatten, dense, dense_1",
        ),
        (lambda: keras.Sequential(dense(8, 8)), "flatten", "nothing trained up to the layer 'flatten"),
        (two_inputs, None, "has 2 inputs"),
        (lambda: keras.Sequential([*dense(8, 8), keras.layers.Lambda(lambda x: x)]), None, "has a Lambda layer"),
    ],
)
def test_a_model_that_cant_be_used_is_refused_in_one_sentence(
    tmp_path: Path, make: Any, layer: str | None, says: str
) -> None:
    keras.utils.clear_session(free_memory=False)  # layer names count from the start
    make().save(tmp_path / "bad.keras")
    with pytest.raises(UnusableInputError) as refused:
        load_body(tmp_path / "bad.keras", layer, (8, 8))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no zip"])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "bad.keras").write_bytes(content)
    with pytest.raises(UnusableInputError, match=r"bad\.keras"):
        load_body(tmp_path / "bad.keras", None, (8, 8))
