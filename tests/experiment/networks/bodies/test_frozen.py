"""What a frozen body makes of images: once per image, and training on it is training with the body frozen."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.blueprints import BodyBlueprint
from tasks.experiment.networks.bodies import frozen
from tasks.experiment.networks.bodies.body import build_on_body
from tasks.experiment.networks.bodies.inference import outputs
from tasks.experiment.networks.recipe import Training
from tasks.experiment.networks.train_network import RANDOM, Body, starting_network, train_network
from tasks.experiment.networks.trainer import set_threads, train
from tasks.experiment.randomness import generator
from tests.support.bodies import load_body

set_threads()  # before anything computes
RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (90, 8, 8, 3), np.uint8)
LABELS = (IMAGES[:, :4].mean((1, 2, 3)) > IMAGES[:, 4:].mean((1, 2, 3))).astype(np.int32)
ROWS = np.arange(90, dtype=np.int32)
# Rows out of order, of which there are others between them.
DATA = TrainingData(IMAGES, Examples(ROWS[60:20:-1], LABELS[60:20:-1]), Examples(ROWS[70:], LABELS[70:]), classes=2)
TRAINING = Training(hidden_layers=1, hidden_units=1, learning_rate=0.1, batch_size=16, epochs=5, frozen_epochs=3)


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Any:
    keras.utils.set_random_seed(4)
    file: Path = tmp_path_factory.mktemp("models") / "m.keras"
    nested = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(5, 3), layers.BatchNormalization(), layers.ReLU()])
    before = [keras.Input((8, 8, 3)), layers.RandomFlip(), layers.Rescaling(1 / 255), nested]
    keras.Sequential([*before, layers.Dropout(0.5), layers.Flatten(), layers.Dense(3)]).save(file)
    return load_body(file, None, (8, 8, 3))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images were computed, by call; nothing is kept from before."""
    counts: list[int] = []

    def count(model: Any, images: Any) -> Any:
        counts.append(len(images))
        return outputs(model, images)

    monkeypatch.setattr(frozen, "outputs", count)
    frozen._kept.clear()
    return counts


def test_each_image_is_computed_once_whatever_the_seed(body: Any, computed: list[int]) -> None:
    for seed in (1, 2, 3):
        train_network(BodyBlueprint(body), DATA, TRAINING, seed, task="B", body=Body(body))
    assert computed == [60]
    frozen.head_inputs(starting_network(BodyBlueprint(body), TRAINING, 4, 9, Body(body)), IMAGES[:65])
    assert computed == [60, 25]  # rows 0 to 20, and 61 to 64


def test_other_weights_are_another_body(body: Any, computed: list[int]) -> None:
    one, other = (frozen.head_inputs(build_on_body(body, 2, seed), IMAGES[:5]) for seed in (1, 2))
    assert computed == [5, 5]
    assert not np.allclose(one, other)


def test_what_an_image_gives_does_not_depend_on_the_others(body: Any, computed: list[int]) -> None:
    model = starting_network(BodyBlueprint(body), TRAINING, 2, 1, Body(body))
    alone = [frozen.head_inputs(model, IMAGES[i : i + 1])[0] for i in range(40)]
    frozen._kept.clear()
    together = frozen.head_inputs(model, IMAGES[::-1])[::-1]
    np.testing.assert_array_equal(alone, together[:40])
    np.testing.assert_allclose(together, np.asarray(body(IMAGES, training=False)), rtol=1e-5, atol=1e-6)


def test_what_was_asked_for_longest_ago_goes_first(
    body: Any, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build_on_body(body, 2, 1)
    monkeypatch.setattr(frozen, "MOST_BYTES", 10 * frozen.head_inputs(model, IMAGES[:1]).nbytes)
    for part in (IMAGES[:8], IMAGES[:1], IMAGES[8:12], IMAGES[:1], IMAGES[1:2]):
        frozen.head_inputs(model, part)
    assert computed == [1, 7, 4, 1]
    assert len(frozen._kept) == 10


@pytest.mark.parametrize("frozen_epochs", [5, 3])
def test_it_is_training_with_the_body_frozen(body: Any, frozen_epochs: int) -> None:
    training, told = TRAINING.model_copy(update={"frozen_epochs": frozen_epochs}), []
    ours, history = train_network(
        BodyBlueprint(body), DATA, training, 5, task="B", body=Body(body), on_epoch=lambda n, epoch: told.append(n)
    )
    whole = starting_network(BodyBlueprint(body), training, 2, 5, Body(body))
    names = tuple(layer.name for layer in hidden_layers(whole))
    expected = train(whole, DATA, training, order=generator(5, "order/B"), frozen_layers=names)
    assert told == [1, 2, 3, 4, 5]
    for one, other in zip(history, expected, strict=True):
        np.testing.assert_allclose(list(vars(one).values()), list(vars(other).values()), rtol=1e-4, atol=1e-5)
    for mine, theirs in zip(ours.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_of_a_network_that_diverges_the_epoch_is_counted_from_the_first(body: Any) -> None:
    def stop(number: int, epoch: Any) -> None:
        if number == 3:
            raise StopIteration

    wild = TRAINING.model_copy(update={"learning_rate": 1e8, "frozen_epochs": 0, "epochs": 30})
    with pytest.raises(DivergedError, match=r"in epoch \d+: training diverged"):
        train_network(BodyBlueprint(body), DATA, wild, 5, task="B", body=RANDOM)
    with pytest.raises(StopIteration):
        train_network(BodyBlueprint(body), DATA, TRAINING, 5, task="B", body=Body(body), on_epoch=stop)
