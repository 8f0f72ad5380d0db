from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasks.experiment.data.pixels import Pixels, save_pixels
from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.networks.architectures import build_network, hidden_layers
from tasks.experiment.networks.blueprints import BodyBlueprint, PixelsBlueprint, load_blueprint
from tasks.experiment.networks.model_files import save_model
from tasks.experiment.networks.recipe import Network, Training
from tasks.experiment.networks.train_network import RANDOM, Beginning, Body, train_network
from tasks.storage.artifacts import save
from tests.support.bodies import load_body

TRAINING = Training(hidden_layers=2, hidden_units=6, learning_rate=0.1, batch_size=8, epochs=2, frozen_epochs=2)
PIXELS = Pixels(np.full((4, 4), 127, np.float32), np.full((4, 4), 74, np.float32))
ROWS = np.arange(24, dtype=np.int32)
DATA = TrainingData(
    np.random.default_rng(1).integers(0, 256, (24, 4, 4), np.uint8),
    Examples(ROWS, ROWS % 2),
    Examples(ROWS, ROWS % 2),
    2,
)


@pytest.fixture(scope="module")
def model_A() -> Network:
    return build_network(TRAINING, 5, PIXELS, seed=9)


def same_layers(one: Network, other: Network) -> list[bool]:
    """Of each hidden layer, whether its weights are the same, bit for bit."""
    return [
        all(np.array_equal(a, b) for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True))
        for mine, theirs in zip(hidden_layers(one), hidden_layers(other), strict=True)
    ]


@pytest.mark.parametrize(
    ("body", "as_in_A", "as_initial"),
    [
        (lambda A: Body(A), [True, True], [False, False]),
        (lambda A: Body(A, 1), [True, False], [False, False]),
        (lambda A: RANDOM, [False, False], [True, True]),
        (lambda A: Body(None, 1), [False, False], [True, False]),
    ],
)
def test_a_body_is_where_its_layers_start_and_they_are_frozen(
    model_A: Network, body: Callable[[Network], Body], as_in_A: list[bool], as_initial: list[bool]
) -> None:
    model, _ = train_network(PixelsBlueprint(PIXELS), DATA, TRAINING, 3, task="B", body=body(model_A))
    assert same_layers(model, model_A) == as_in_A
    assert same_layers(model, build_network(TRAINING, 2, PIXELS, seed=3)) == as_initial


def test_a_beginning_is_the_same_again_after_its_network_was_trained(model_A: Network) -> None:
    beginning, initial = Beginning(PixelsBlueprint(PIXELS), TRAINING, 2, 3), build_network(TRAINING, 2, PIXELS, seed=3)
    transferred = beginning.network(Body(model_A))
    assert same_layers(transferred, model_A) == [True, True]
    transferred.layers[-1].set_weights([np.full((6, 1), 7.0), np.full(1, 7.0)])
    kept = beginning.copy(0.1)
    again = beginning.network(RANDOM)
    assert all(np.array_equal(a, b) for a, b in zip(again.get_weights(), initial.get_weights(), strict=True))
    assert same_layers(kept, model_A) == [True, True]
    assert kept.layers[-1].get_weights()[1] == 7
    kept.evaluate(DATA.images, DATA.training.labels, verbose=0)


def test_seeds_and_problems_have_their_own_order_of_images_and_keras_can_go_on() -> None:
    free = TRAINING.model_copy(update={"frozen_epochs": 0})
    trained = [train_network(PixelsBlueprint(PIXELS), DATA, free, 3, task=name)[0] for name in ("A", "A", "B")]
    assert same_layers(trained[0], trained[1]) == [True, True]
    assert same_layers(trained[0], trained[2]) == [False, False]
    trained[0].fit(DATA.images, DATA.training.labels, verbose=0)
    assert same_layers(trained[0], trained[1]) == [False, False]


def test_a_blueprint_is_loaded_as_what_was_stored(
    model_A: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    blueprint = load_blueprint(save_pixels(PIXELS))
    built, expected = blueprint.build(TRAINING, 2, 3), build_network(TRAINING, 2, PIXELS, seed=3)
    assert same_layers(built, expected) == [True, True]
    np.testing.assert_array_equal(built(DATA.images), expected(DATA.images))

    save_model(model_A, tmp_path / "A.keras")
    body = load_body(tmp_path / "A.keras", "hidden_1", (4, 4))
    blueprint = load_blueprint(save("import_A", lambda folder: save_model(body, folder / "model.keras")))
    assert isinstance(blueprint, BodyBlueprint)
    np.testing.assert_array_equal(blueprint.body(DATA.images), body(DATA.images))
    assert blueprint.build(TRAINING, 3, 3).output_shape == (None, 3)
