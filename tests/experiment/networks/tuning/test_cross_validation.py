import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.experiment.data.pixels import Pixels
from tasks.experiment.data.splits import Examples
from tasks.experiment.networks.architectures import build_network
from tasks.experiment.networks.recipe import Network, Training
from tasks.experiment.networks.tuning.cross_validation import (
    cross_validate,
    fold_numbers,
    split_folds,
    tune,
    validate_grid,
)
from tasks.experiment.networks.tuning.grid import Grid, Recipe, Tried, choose, rates_down_from
from tasks.experiment.networks.tuning.trajectory import Course, Labelled
from tasks.experiment.randomness import generator

TRAINING = Training(hidden_layers=1, hidden_units=8, learning_rate=0.05, batch_size=32, epochs=3)
PIXELS = Pixels(np.full((8, 8), 127, np.float32), np.full((8, 8), 74, np.float32))
GRID = Grid(rates=(0.01, 0.1), steps=12, fewest_epochs=3, folds=4)


def tried(*points: tuple[float, int, float, float]) -> list[Tried]:
    return [
        Tried(learning_rate=rate, epochs=epochs, images=100, error=error, loss=loss)
        for rate, epochs, error, loss in points
    ]


def labelled(n: int = 90) -> Labelled:
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (200, 8, 8), np.uint8)
    labels = (images[:, :2].mean((1, 2)) > images[:, 2:4].mean((1, 2))).astype(np.int32)
    return Labelled(images, Examples(np.arange(n, dtype=np.int32), labels[:n]))


def network(examples: Examples) -> Network:
    return build_network(TRAINING, 2, PIXELS, 7)


@given(st.lists(st.integers(2, 60), min_size=2, max_size=4), st.integers(2, 7), st.integers(0, 99))
def test_each_fold_has_its_share_of_each_class(counts: list[int], folds: int, seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts)).astype(np.int32)
    number = fold_numbers(labels, folds, seed)
    assert set(number) == set(range(max(2, min(folds, *counts))))
    for of_class in (*(number[labels == label] for label in range(len(counts))), number):
        sizes = np.bincount(of_class, minlength=number.max() + 1)
        assert sizes.max() - sizes.min() <= 1


def test_a_single_image_of_a_class_is_in_one_of_two_folds() -> None:
    assert np.bincount(fold_numbers(np.array([0] * 9 + [1], np.int32), 5, 1)).tolist() == [5, 5]


def test_folds_cut_the_labelled_images_and_are_those_of_the_seed() -> None:
    examples = labelled().examples
    parts = split_folds(examples, 4, seed=1)
    assert sorted(row for _, held_out in parts for row in held_out.rows) == sorted(examples.rows)
    assert [set(training.rows) & set(held_out.rows) for training, held_out in parts] == [set()] * len(parts)
    again, other = split_folds(examples, 4, seed=1), split_folds(examples, 4, seed=2)
    assert np.array_equal(parts[0][0].rows, again[0][0].rows)
    assert not np.array_equal(parts[0][0].rows, other[0][0].rows)


@given(st.integers(2, 20_000), st.sampled_from([1, 32, 256]))
def test_checkpoints_ascend_from_the_first_epoch_to_the_last_that_steps_allow(images: int, batch_size: int) -> None:
    grid = Grid()
    checkpoints = grid.checkpoints(images, batch_size)
    assert checkpoints[0] == 1
    assert checkpoints[-1] == max(10, grid.steps // math.ceil(images / batch_size))
    assert [(a, b) for a, b in itertools.pairwise(checkpoints) if not a < b <= 1.5 * a + 1.25] == []


def test_of_what_is_within_a_standard_error_of_the_lowest_the_longest_trained_is_chosen_and_of_these_the_best() -> None:
    """0.1 of 100 images are wrong at best: give or take 0.03. With a second seed, 0.0212."""
    one = tried(
        (0.1, 1, 0.10, 1.0), (0.1, 2, 0.14, 0.9), (0.2, 1, 0.12, 1.0), (0.2, 2, 0.125, 0.8), (0.3, 2, 0.129, 0.1)
    )
    assert choose(one) == Recipe(learning_rate=0.2, epochs=2)
    assert choose(one + one) == Recipe(learning_rate=0.1, epochs=1, edge="lowest rate")  # 0.12 is as short, and worse
    equals = tried((0.1, 2, 0.1, 0.9), (0.2, 2, 0.1, 0.8), (0.3, 2, 0.1, 0.85), (0.2, 1, 0.1, 0.1))
    assert choose(equals) == Recipe(learning_rate=0.2, epochs=2)


def test_seeds_choose_by_their_mean_errors() -> None:
    one, other = tried((0.1, 1, 0.1, 1), (0.2, 1, 0.3, 1)), tried((0.1, 1, 0.5, 1), (0.2, 1, 0.2, 1))
    assert choose(one).learning_rate == 0.1
    assert choose(one + other).learning_rate == 0.2


def test_a_recipe_at_an_end_of_what_was_tried_says_which() -> None:
    inside = (0.1, 1, 0.4, 1), (0.2, 1, 0.2, 1), (0.3, 1, 0.4, 1)
    assert choose(tried(*inside)).edge == ""  # nothing but a single number of epochs was tried
    assert choose(tried(*inside, (0.4, 1, 0.1, 1))).edge == "highest rate"
    assert choose(tried(*inside, (0.2, 2, 0.1, 1))).edge == "most epochs"  # with fewer it is worse: it still improved
    assert choose(tried(*inside, (0.2, 2, 0.19, 1))) == Recipe(learning_rate=0.2, epochs=2)


@pytest.mark.parametrize(
    ("rate", "rates"),
    [(0.3, [0.3, 0.1, 0.03, 0.01, 0.003, 0.001]), (0.001, [0.001]), (0.0003, [0.0003])],
)
def test_lower_rates_are_half_a_decade_apart(rate: float, rates: list[float]) -> None:
    assert list(rates_down_from(rate)) == rates


def test_a_point_that_diverged_is_the_last_choice_of_equals() -> None:
    assert choose(tried((0.1, 1, 0.5, 0.7), (1.0, 1, 0.5, math.inf))).learning_rate == 0.1


@pytest.mark.parametrize(
    ("rate", "edge", "more"),
    [
        (1.0, "highest rate", (3.0,)), (3.0, "highest rate", (10.0,)), (10.0, "highest rate", ()),
        (0.001, "lowest rate", (0.0003,)), (0.0003, "lowest rate", (0.0001,)), (0.0001, "lowest rate", ()),
        (0.1, "", ()), (0.1, "most epochs", ()),
    ],
)  # fmt: skip
def test_the_grid_grows_by_half_a_decade_where_the_best_rate_is_at_its_end(
    rate: float, edge: str, more: tuple[float, ...]
) -> None:
    assert Grid().wider(Recipe(learning_rate=rate, epochs=3, edge=edge)) == more


def test_cross_validation_judges_each_image_once_by_a_network_that_never_saw_it() -> None:
    data = labelled()
    found = {(t["learning_rate"], t["epochs"]): t for t in cross_validate(network, data, GRID, 32, seed=3)}
    assert {epochs for _, epochs in found} == set(GRID.checkpoints(90, 32)) == {1, 2, 3, 4}
    wrong, loss = 0.0, 0.0
    for training, held_out in split_folds(data.examples, 4, seed=3):
        parts = Labelled(data.images, training), Labelled(data.images, held_out)
        reached = Course(*parts, (3,), 32, generator(3, "order/B")).follow(network(training), 0.1).reached[0]
        wrong, loss = wrong + len(held_out) * reached.error, loss + len(held_out) * reached.loss
    assert found[0.1, 3]["error"] == pytest.approx(wrong / 90, abs=1e-6)
    assert found[0.1, 3]["loss"] == pytest.approx(loss / 90, abs=1e-5)


def test_a_fold_starts_from_what_its_own_training_images_give() -> None:
    data, seen = labelled(), []
    cross_validate(lambda examples: seen.append(len(examples)) or network(examples), data, GRID, 32, seed=3)
    assert [90 - n for n in seen] == [23, 23, 22, 22]


def test_a_validation_set_judges_a_network_of_all_labelled_images() -> None:
    data = labelled()
    validation = Labelled(data.images, labelled(200).examples)
    found = validate_grid(network, data, validation, GRID, 32, seed=3)
    course = Course(data, validation, (1, 2, 3, 4), 32, generator(3, "order/B"))
    by_hand = course.follow(network(data.examples), 0.1).reached
    assert [t["error"] for t in found if t["learning_rate"] == 0.1] == [c.error for c in by_hand]


def test_a_low_rate_alone_makes_the_grid_grow_and_the_recipe_better() -> None:
    low = Grid(rates=(0.0001, 0.0003), steps=40, folds=3)
    recipe, all_tried = tune(network, labelled(), low, 32, seed=3)
    assert {t["learning_rate"] for t in all_tried} == {0.0001, 0.0003, 0.001, 0.003}
    assert recipe == choose(all_tried)
    assert recipe.learning_rate > 0.0003
