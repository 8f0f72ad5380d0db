from dataclasses import replace

import numpy as np
import pytest

from tasks.experiment.data.pixels import Pixels
from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.networks.architectures import build_network, hidden_layers
from tasks.experiment.networks.blueprints import PixelsBlueprint
from tasks.experiment.networks.recipe import Training
from tasks.experiment.networks.train_network import RANDOM, Body, train_network
from tasks.experiment.networks.tuning.grid import Grid
from tasks.experiment.networks.tuning.tune_network import tune_network

TRAINING = Training(hidden_layers=2, hidden_units=6, learning_rate=1e-9, batch_size=8, epochs=1, tuning="cv")
BLUEPRINT = PixelsBlueprint(Pixels(np.full((4, 4), 127, np.float32), np.full((4, 4), 74, np.float32)))
GRID = Grid(rates=(1e-6, 0.1), steps=30, fewest_epochs=1, folds=3, widenings=0)
IMAGES = np.random.default_rng(1).integers(0, 256, (90, 4, 4), np.uint8)
LABELS = (IMAGES[:, :2].mean((1, 2)) > IMAGES[:, 2:].mean((1, 2))).astype(np.int32)
ROWS = np.arange(90, dtype=np.int32)
DATA = TrainingData(IMAGES, Examples(ROWS[:40], LABELS[:40]), Examples(ROWS[40:], LABELS[40:]), 2)


def test_the_rate_that_learns_is_chosen_over_that_of_the_settings_and_makes_a_better_network() -> None:
    told: list[tuple[int, int]] = []
    recipe = tune_network(BLUEPRINT, DATA, TRAINING, 3, RANDOM, GRID, lambda *so_far: told.append(so_far))
    assert told == [(done, 6) for done in range(1, 7)]  # two rates on three folds
    assert recipe["learning_rate"] == 0.1
    assert (recipe["rates"], recipe["most_epochs"], recipe["folds"]) == ([1e-6, 0.1], 6, 3)
    assert recipe["edge"] == "highest rate"
    tuned = TRAINING.model_copy(update={name: recipe[name] for name in ("learning_rate", "epochs")})
    validation_loss = [
        train_network(BLUEPRINT, DATA, training, 3, task="B")[1][-1].validation_loss for training in (TRAINING, tuned)
    ]
    assert validation_loss[1] < 0.9 * validation_loss[0]


def test_validation_images_play_no_part() -> None:
    wrong = replace(DATA, validation=Examples(ROWS[40:], 1 - LABELS[40:]))
    one, other = (tune_network(BLUEPRINT, data, TRAINING, 3, RANDOM, GRID) for data in (DATA, wrong))
    assert one == other


def test_tuning_starts_from_the_body() -> None:
    """Through a layer of zeros nothing is learned at any rate: the error is that of the larger class alone."""
    body = build_network(TRAINING, 2, BLUEPRINT.pixels, 3)
    for layer in hidden_layers(body):
        layer.set_weights([np.zeros_like(weights) for weights in layer.get_weights()])
    share = LABELS[:40].mean()
    dead = tune_network(BLUEPRINT, DATA, TRAINING, 3, Body(body), GRID)
    assert dead["error"] == pytest.approx(min(share, 1 - share))
    assert tune_network(BLUEPRINT, DATA, TRAINING, 3, RANDOM, GRID)["error"] < dead["error"]
