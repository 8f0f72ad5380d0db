import numpy as np
import pytest

from tasks.experiment.results.statistics.intervals import error_reduction_interval
from tasks.experiment.results.statistics.new_images import new_images_interval
from tests.support.procedures import wrong_answers


@pytest.mark.parametrize(("seeds", "images", "studies"), [(3, 500, 400), (5, 100, 600), (29, 100, 400), (29, 500, 200)])
def test_it_covers_where_seeds_and_images_are_new(seeds: int, images: int, studies: int) -> None:
    rng = np.random.default_rng(1)
    both, seeds_only = [], []
    for _ in range(studies):
        wrong, effect = wrong_answers(rng, seeds, images)
        for kept, found in (
            (both, new_images_interval(*wrong)),
            (seeds_only, error_reduction_interval(*wrong.mean(2))),
        ):
            if found["low"] is not None:
                kept.append(found["low"] <= effect <= found["high"])
    assert 0.93 <= np.mean(both) <= 0.98
    if seeds == 29 and images == 100:  # the interval of new seeds answers another question
        assert np.mean(seeds_only) < 0.85


def test_it_contains_the_interval_of_the_same_images() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        wrong, _ = wrong_answers(rng, 5, 300)
        same, new = error_reduction_interval(*wrong.mean(2)), new_images_interval(*wrong)
        assert new["low"] <= same["low"] < new["estimate"] == same["estimate"] < same["high"] <= new["high"]


def test_many_images_add_nothing() -> None:
    wrong, _ = wrong_answers(np.random.default_rng(3), 5, 20_000)
    same, new = error_reduction_interval(*wrong.mean(2)), new_images_interval(*wrong)
    assert (new["low"], new["high"]) == pytest.approx((same["low"], same["high"]), rel=0.05)


def test_images_alone_by_hand() -> None:
    """Seeds that answer alike: what is left is Student's interval over the images.

    Of 100 images scratch errs on 50, transfer on 25 of them; t − ½ s is ½, −½, 0, 0: standard deviation 0.355.
    """
    scratch, transfer = np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0])
    wrong = np.stack([np.tile(np.repeat(arm, 25), (40, 1)) for arm in (scratch, transfer)]).astype(bool)
    wrong[0, 0, 0] = False  # or nothing would vary between seeds, and there would be no interval
    found = new_images_interval(*wrong)
    assert found["low"] is not None
    assert (found["high"] - found["low"]) / 2 == pytest.approx(100 * 1.96 * 0.355 / 10 / 0.5, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 50), (2, 50)])
def test_too_few_seeds_have_none(shape: tuple[int, int]) -> None:
    wrong = np.random.default_rng(4).random((2, *shape)) < 0.3
    found = new_images_interval(*wrong)
    assert (found["low"], found["high"], found["method"]) == (None, None, "none: it takes 3 pairs")


def test_no_error_at_all_has_none() -> None:
    nothing = np.zeros((4, 10), bool)
    found = new_images_interval(nothing, nothing)
    assert (found["estimate"], found["low"]) == (None, None)
    assert found["method"].startswith("none: ")
