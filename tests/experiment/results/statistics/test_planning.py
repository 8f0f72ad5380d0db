import numpy as np
import pytest

from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.statistics.planning import MOST, advice, pairs_for_width, pairs_to_see
from tasks.experiment.results.statistics.verdicts import difference_p, fewest_pairs
from tests.support.studies import REAL, WORLDS, bounds, claims, draw

SCRATCH, TRANSFER = REAL


@pytest.mark.parametrize(("effect", "needed"), [(20, 15), (15, 25), (10, 54), (-20, 19)])
def test_so_many_pairs_see_the_effect_in_9_of_10_simulated_studies(effect: float, needed: int) -> None:
    """Drawn from the same real pairs that the plan saw; fewer would not do."""
    assert pairs_to_see(SCRATCH, TRANSFER, effect) == needed
    enough, fewer = (claims(*draw(WORLDS["100 real pairs"], 4000, n, effect)) for n in (needed, needed * 4 // 5))
    assert 0.89 <= np.isin(enough, ("helps", "hurts")).mean() <= 0.96
    assert np.isin(fewer, ("helps", "hurts")).mean() < 0.9


def test_the_effect_that_was_seen_is_the_default_and_more_power_takes_more_pairs() -> None:
    assert pairs_to_see(SCRATCH, TRANSFER) == pairs_to_see(SCRATCH, TRANSFER, 25.4) == 10
    assert [pairs_to_see(SCRATCH, TRANSFER, 10, power) for power in (0.5, 0.8, 0.95)] == [21, 41, 66]


def test_several_comparisons_take_more_pairs() -> None:
    needed = pairs_to_see(SCRATCH, TRANSFER, 15, comparisons=9)
    assert needed == 39
    p: Errors = difference_p(*draw(WORLDS["100 real pairs"], 4000, needed, 15))
    assert (p <= 0.05 / 9).mean() == pytest.approx(0.91, abs=0.02)


@pytest.mark.parametrize(("half_width", "needed"), [(20, 6), (10, 15), (5, 49)])
def test_so_many_pairs_have_such_an_interval(half_width: float, needed: int) -> None:
    assert pairs_for_width(SCRATCH, TRANSFER, half_width) == needed
    enough, fewer = (bounds(*draw(WORLDS["100 real pairs"], 4000, n, 25.4)) for n in (needed, needed * 4 // 5))
    assert np.mean(enough[1] - enough[0]) / 2 <= half_width < np.mean(fewer[1] - fewer[0]) / 2


def test_a_clear_effect_takes_as_many_pairs_as_can_claim_anything() -> None:
    clear = np.array([0.2, 0.21, 0.19]), np.array([0.02, 0.021, 0.0205])
    assert pairs_to_see(*clear) == fewest_pairs() == 6
    assert pairs_to_see(*clear, comparisons=9) == 9


def test_what_can_not_be_planned_has_no_number() -> None:
    one, same = np.array([0.2]), np.array([0.2, 0.3, 0.1])
    assert pairs_to_see(one, one / 2) is None
    assert pairs_for_width(one, one / 2, 5) is None
    assert pairs_to_see(same, same) is None  # no effect
    assert pairs_to_see(np.zeros(3), same) is None
    assert pairs_to_see(same, np.zeros(3), 20) is None
    assert pairs_to_see(SCRATCH, TRANSFER, 0.5) is None  # more than MOST
    assert pairs_for_width(SCRATCH, TRANSFER, 0.1) is None


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (1, "1 pair can't tell; 6 are the fewest that could."),
        (5, "5 pairs can't tell; about 14 would see an effect of this size in 9 of 10 studies."),
        (20, "20 pairs can't tell."),
    ],
)
def test_the_advice(pairs: int, says: str) -> None:
    assert advice(SCRATCH[:pairs], TRANSFER[:pairs]) == says


def test_pairs_that_agree_to_the_last_digit_tell_nothing_of_chance() -> None:
    says = "2 pairs can't tell, since they agree to the last digit: give more test images, on which they can differ."
    assert advice(np.full(2, 0.04), np.full(2, 0.05)) == says
    assert "agree" not in advice(np.full(2, 0.04), np.array([0.05, 0.06]))
    assert "agree" not in advice(np.full(1, 0.04), np.full(1, 0.05))


def test_the_advice_where_even_the_most_pairs_would_not_do() -> None:
    scratch = np.array([0.1, 0.3, 0.2, 0.1])
    assert (
        advice(scratch, scratch[::-1] + 1e-3)
        == f"4 pairs can't tell; even {MOST:,} would hardly see an effect of this size."
    )


def test_a_plan_from_5_pairs_is_rough_but_not_absurd() -> None:
    """10 are right: so say half of the plans to within a factor of 1.6, and one in ten says 24 or more."""
    plans = [pairs_to_see(s, t) or MOST for s, t in zip(*draw(WORLDS["100 real pairs"], 100, 5, 25.4), strict=True)]
    assert np.quantile(plans, [0.25, 0.5, 0.75]) == pytest.approx([6, 9, 15], abs=2)
