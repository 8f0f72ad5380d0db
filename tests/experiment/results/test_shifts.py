import numpy as np
import pytest
from scipy.stats import t

from tasks.experiment.results.shifts import LEVEL, expected_range, tonights_range
from tests.support.procedures import nights_outside, same_seeds
from tests.support.studies import WORLDS

HISTORIES = 80, 200, 5  # histories, nights, pairs


def test_of_200_nights_without_a_change_1_in_100_is_outside_at_most() -> None:
    for world in ("like the seen", "100 real pairs", "skewed"):
        outside = nights_outside(*WORLDS[world](np.random.default_rng(1), HISTORIES, 25))
        assert outside.mean() <= 0.0115  # 1 % and a standard deviation and a half of the simulation
        assert outside[:, :9].mean() <= 0.01  # the first nights too


@pytest.mark.parametrize(
    ("noise", "effect", "found"), [(40, -30, 0.85), (20, 0, 0.85), (6, 17, 0.85), (2, 19, 0.85), (2, 23, 0)]
)
def test_a_change_is_found_the_surer_the_less_chance_there_is(noise: float, effect: float, found: float) -> None:
    """After 20 nights whose errors differ by so many of 2,000 images from night to night; 25 % became `effect`."""
    rng = np.random.default_rng(2)
    shape = 100, 21, 5
    before = same_seeds(rng, WORLDS["100 real pairs"], shape, noise, 25)
    tonight = before[0], before[1] * (1 - effect / 100) / 0.75
    outside = nights_outside(*before, tonight)[:, -1].mean()
    assert outside >= found if found else outside <= 0.05


def test_by_hand() -> None:
    """One night before, two seeds: the paired t-test of the seeds' changes, with π / 2 instead of 1 for the one night.

    Scratch's error is always 0.1; transfer's are 0.05 and 0.07, tonight 0.06 and 0.09: changes of 10 and 20 points.
    """
    scratch, transfer = np.full((2, 2), 0.1), np.array([[0.05, 0.07], [0.06, 0.09]])
    low, high = expected_range(scratch, transfer, np.array(40.0))
    chance = np.std([10, 20], ddof=1) / 2**0.5  # the variance of a change is twice that of a night
    half = t.ppf(1 - LEVEL / 2, 1) * chance * (1 + np.pi / 2) ** 0.5 / 2**0.5
    assert (low, high) == pytest.approx((40 - half, 40 + half))


def test_a_hard_seed_is_no_change_and_a_small_move_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    scratch, transfer = same_seeds(rng, WORLDS["100 real pairs"], (1, 4, 5), 0, 25)
    low, high = expected_range(scratch, transfer, np.array([25.0]))
    assert (low, high) == (20, 30)


# Two nights with the same seeds, whose last bits differ: scratch's and transfer's wrong answers of 2,000.
GOOD = np.array([[352, 167, 294, 219, 161], [169, 136, 146, 197, 156]]) / 2000
OTHER_BITS = np.array([[352, 167, 294, 219, 161], [169, 137, 147, 199, 152]]) / 2000
BAD = GOOD * [[1], [1.3]]


def judged(tonight: np.ndarray, *earlier: np.ndarray) -> str:
    expected = tonights_range(tonight, np.stack(earlier))
    if expected is None:
        return "can't tell"
    reduction = 100 * (1 - tonight[1].mean() / tonight[0].mean())
    return "inside" if expected[0] <= reduction <= expected[1] else "outside"


def test_other_last_bits_are_inside_and_a_move_of_20_points_is_outside() -> None:
    """As measured: oneDNN on, and XLA with one thread."""
    assert judged(OTHER_BITS, GOOD) == "inside"
    assert judged(BAD, OTHER_BITS, GOOD) == "outside"


def test_a_bad_night_stays_outside_until_most_nights_are_like_it() -> None:
    before = GOOD, OTHER_BITS, GOOD
    assert judged(BAD, *before, BAD) == "outside"
    assert judged(BAD, *before, *[BAD] * 4) == "inside"


def test_one_odd_night_moves_nothing() -> None:
    assert judged(OTHER_BITS, GOOD, BAD, GOOD) == "inside"
    assert judged(BAD, GOOD, BAD, OTHER_BITS) == "outside"


def test_the_same_night_again_or_a_single_pair_shows_no_chance() -> None:
    assert judged(GOOD, GOOD, GOOD) == "can't tell"
    assert judged(BAD[:, :1], GOOD[:, :1]) == "can't tell"
