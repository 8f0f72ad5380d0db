import numpy as np
import pytest

from tasks.experiment.recommend.choice import (
    Folds,
    answers_of,
    choose_method,
    clearly_worse,
    expected_accuracy,
    recipe_of,
)
from tasks.experiment.recommend.judging import Judged
from tasks.experiment.results.statistics.resampled import corrected_standard_error


def random_folds(rng: np.random.Generator, images: int, folds: int = 5, repetitions: int = 4) -> Folds:
    return Folds(np.stack([rng.permutation(images) % folds for _ in range(repetitions)]))


def judged(right: list[list[int]], folds: list[int]) -> Judged:
    """Two points or more, by which of the images (all of class 0) they get right."""
    answers = 1 - np.array(right, np.int32)
    points = np.array([[0.1 * (number + 1), 10] for number in range(len(right))])
    return Judged(points, np.array(folds), answers, answers.astype(np.float32))


def test_accuracies_by_fold_and_by_weight() -> None:
    folds = Folds(np.array([[0, 0, 1, 1], [0, 1, 0, 1]]))
    right = np.array([[1, 0, 1, 1], [1, 0, 1, 1]], bool)
    assert folds.accuracies(right).tolist() == [0.5, 1.0, 1.0, 0.5]
    weighted = folds.weighted([right, ~right], np.array([[3.0, 1, 1, 0], [0, 0, 1, 1]]))
    assert weighted[0].tolist() == [[0.75, 1.0, 1.0, 0.0], [0.25, 0.0, 0.0, 1.0]]
    assert np.isnan(weighted[1]).tolist() == [[True, False, False, False]] * 2
    assert folds.test_to_train == 1


def test_a_point_is_chosen_by_the_images_outside_of_the_fold() -> None:
    """The first point is right outside of fold 0, where the second one is; with all images the second one wins."""
    found = [judged([[0, 0, 1, 1, 1, 0], [1, 1, 0, 0, 1, 1]], [0, 0, 1, 1, 1, 1])]
    labels = np.zeros(6, np.int32)
    assert recipe_of(found, labels, among=np.array([0, 0, 1, 1, 1, 1], bool)).learning_rate == pytest.approx(0.1)
    assert recipe_of(found, labels, among=np.array([1, 1, 0, 0, 0, 0], bool)).learning_rate == pytest.approx(0.2)
    # Fold 0 is answered by the first point, which is wrong there; fold 1 by the second one.
    assert (answers_of(found, labels) == 0).tolist() == [[False, False, False, False, True, True]]


def test_of_points_without_any_difference_none_flatters() -> None:
    """100 points that guess: the best of them looks good, what other images chose does not."""
    rng, labels = np.random.default_rng(3), np.zeros(100, np.int32)
    answers = rng.integers(0, 2, (100, 100)).astype(np.int32)
    folds = rng.permutation(100) % 5
    points = np.array([[rate, 1] for rate in range(1, 101)], float)
    found = [Judged(points, folds, answers, answers.astype(np.float32))]
    assert (answers == 0).mean(1).max() > 0.6
    assert 0.38 < (answers_of(found, labels) == 0).mean() < 0.62


def test_the_cheapest_within_one_standard_error_of_the_best_is_chosen() -> None:
    best = np.array([0.9, 0.8, 1.0, 0.9])
    close, far = best - [0.1, 0.0, 0.1, -0.1], best - [0.2, 0.1, 0.2, 0.1]
    assert corrected_standard_error(best - close, 1 / 3) == pytest.approx(0.0957427 * (7 / 12) ** 0.5, rel=1e-5)
    assert choose_method(np.stack([far, close, best]), 1 / 3) == 1  # the others are 0.025 and 0.15 below
    assert choose_method(np.stack([far, best]), 1 / 3) == 1
    assert choose_method(np.stack([best, best]), 1 / 3) == 0


def test_only_what_is_clearly_worse_is_dropped() -> None:
    rng = np.random.default_rng(0)
    folds = random_folds(rng, 100, repetitions=1)
    good, as_good, bad = (rng.random((1, 100)) < accuracy for accuracy in (0.9, 0.9, 0.3))
    assert clearly_worse([good, as_good, bad], folds) == [False, False, True]


@pytest.mark.parametrize(("candidates", "images"), [(1, 100), (20, 100), (20, 20)])
def test_choosing_among_useless_candidates_does_not_flatter(candidates: int, images: int) -> None:
    """They guess, the same in each repetition: the best of 20 looks 10 points better than chance with 100 images."""
    rng, draws = np.random.default_rng(candidates + images), 20
    naive, estimates, held = [], [], 0
    for seed in range(draws):
        rights = [np.broadcast_to(rng.random((1, images)) < 0.5, (4, images)) for _ in range(candidates)]
        expected = expected_accuracy(rights, random_folds(rng, images), seed)
        assert expected["low"] is not None
        assert expected["high"] is not None
        naive.append(max(right.mean() for right in rights))
        estimates.append(expected["estimate"])
        held += expected["low"] <= 0.5 <= expected["high"]
    noise = 3 * 0.5 / (images * draws) ** 0.5
    assert abs(np.mean(estimates) - 0.5) < noise + 0.01
    assert held >= 0.8 * draws
    if candidates > 1:
        assert np.mean(naive) - 0.5 > 1.5 * 0.5 / images**0.5


def test_bad_candidates_do_not_pull_down_what_is_expected_of_a_good_one() -> None:
    """Choices on drawn images often fall on another candidate; what they average to is four points too low here."""
    rng, skills, off, held = np.random.default_rng(2), (0.75, 0.9, 0.98), [], 0
    for seed in range(40):
        rights, folds = (
            [np.broadcast_to(rng.random((1, 20)) < skill, (4, 20)) for skill in skills],
            random_folds(rng, 20),
        )
        truth = skills[choose_method(np.stack([folds.accuracies(right) for right in rights]), folds.test_to_train)]
        expected = expected_accuracy(rights, folds, seed)
        off.append(expected["estimate"] - truth)
        held += (expected["low"] or 0) <= truth <= (expected["high"] or 0)
    assert abs(np.mean(off)) < 0.025
    assert held >= 33


def test_of_one_good_candidate_the_accuracy_is_what_it_is() -> None:
    rng, found, held = np.random.default_rng(1), [], 0
    for seed in range(20):
        skills = (0.5, 0.85, 0.95)
        rights = [np.broadcast_to(rng.random((1, 200)) < skill, (4, 200)) for skill in skills]
        expected = expected_accuracy(rights, random_folds(rng, 200), seed)
        found.append(expected["estimate"])
        held += (expected["low"] or 0) <= 0.95 <= (expected["high"] or 0)
    assert np.mean(found) == pytest.approx(0.95, abs=0.01)
    assert held >= 17
