import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_rel

from tasks.experiment.results.statistics.basics import Errors, holm
from tasks.experiment.results.statistics.intervals import error_reduction_interval
from tasks.experiment.results.statistics.verdicts import claim, difference_p, fewest_pairs, too_small_p
from tests.support.studies import WORLDS, alike, claims, draw

STUDIES = 3000
DIRECTIONS = ("helps", "hurts")


@pytest.mark.parametrize("pairs", [2, 3, 5, 6, 10, 29, 100])
@pytest.mark.parametrize("world", WORLDS)
def test_without_an_effect_a_direction_is_claimed_in_5_percent_at_most(world: str, pairs: int) -> None:
    """Three standard deviations of the simulation above 5 % are 6.2 %."""
    says = claims(*draw(WORLDS[world], STUDIES, pairs, 0))
    assert np.isin(says, DIRECTIONS).mean() <= 0.062


def test_an_effect_is_seen() -> None:
    says = claims(*draw(WORLDS["100 real pairs"], STUDIES, 15, 25))
    assert (says == "helps").mean() > 0.95
    assert not (says == "hurts").any()
    assert (claims(*draw(WORLDS["100 real pairs"], STUDIES, 15, -25)) == "hurts").mean() > 0.9


@pytest.mark.parametrize("effect", [-5, 5])
@pytest.mark.parametrize("pairs", [2, 3, 5, 6, 10, 29, 100])
def test_an_effect_at_the_margin_is_rarely_called_too_small(pairs: int, effect: float) -> None:
    """Nominally in 2.5 %, even where errors vary so little that 6 pairs can know; below that never."""
    too_small = (claims(*draw(alike, STUDIES, pairs, effect)) == "too small to matter").mean()
    assert too_small <= 0.034
    assert too_small == 0 or pairs >= fewest_pairs()


def test_an_effect_that_is_too_small_is_called_so() -> None:
    assert (claims(*draw(alike, 1000, 10, 1)) == "too small to matter").mean() > 0.9


@pytest.mark.parametrize(("comparisons", "pairs"), [(1, 6), (9, 9), (45, 11)])
def test_below_the_fewest_pairs_nothing_can_be_claimed(comparisons: int, pairs: int) -> None:
    """The p of the clearest result there can be, and as many comparisons without any effect, adjusted by Holm."""
    assert fewest_pairs(comparisons) == pairs
    for n in (pairs - 1, pairs):
        clearest = np.full(n, 0.5), np.linspace(1e-4, 2e-4, n)
        adjusted = holm([float(difference_p(*clearest))] + [1.0] * (comparisons - 1))[0]
        says = claim(error_reduction_interval(*clearest), adjusted, 1)
        assert says == ("helps" if n == pairs else "can't tell")


def test_p_is_the_paired_t_test_and_agrees_with_the_interval() -> None:
    scratch, transfer = draw(WORLDS["like the seen"], 200, 10, 15)
    expected = np.maximum(ttest_rel(scratch, transfer, axis=-1).pvalue, 2**-9)
    assert difference_p(scratch, transfer) == pytest.approx(expected)
    for s, t, p in zip(scratch, transfer, expected, strict=True):
        found = error_reduction_interval(s, t)
        assert (found["low"] > 0 or found["high"] < 0) == (p < 0.05)


def test_too_small_is_two_one_sided_t_tests_and_agrees_with_the_interval() -> None:
    scratch, transfer = draw(alike, 200, 10, 3)
    above = ttest_1samp(transfer - 1.05 * scratch, 0, axis=-1, alternative="less").pvalue
    below = ttest_1samp(transfer - 0.95 * scratch, 0, axis=-1, alternative="greater").pvalue
    expected = np.maximum(np.maximum(above, below), 2**-10)
    assert too_small_p(scratch, transfer) == pytest.approx(expected)
    for s, t, p in zip(scratch, transfer, expected, strict=True):
        found = error_reduction_interval(s, t)
        assert (found["low"] > -5 and found["high"] < 5) == (p < 0.025)


@pytest.mark.parametrize(
    ("difference", "p"),
    [([0.0] * 10, 1), ([0.1] * 10, 2**-9), ([-0.1] * 10, 2**-9), ([0.1], 1), ([0.1, 0.1], 0.5)],
)
def test_p_where_nothing_varies(difference: list[float], p: float) -> None:
    transfer = np.full(len(difference), 0.2)
    assert difference_p(transfer + difference, transfer) == pytest.approx(p)


def result(low: float | None, high: float | None) -> dict:
    return {"estimate": None if low is None or high is None else (low + high) / 2, "low": low, "high": high}


@pytest.mark.parametrize(
    ("bounds", "p", "p_too_small", "says"),
    [
        ((10, 30), 0.01, 1, "helps"),
        ((10, 30), 0.06, 1, "can't tell"),  # after Holm
        ((-30, -10), 0.05, 1, "hurts"),
        ((-4, 4), 0.5, 0.025, "too small to matter"),
        ((1, 4), 0.001, 0.01, "too small to matter"),
        ((1, 4), 0.001, 0.03, "helps"),  # after Holm
        ((-4, 6), 0.5, 0.04, "can't tell"),
        ((None, None), 0.001, 0.001, "can't tell"),
    ],
)
def test_the_rule(bounds: tuple[float, float], p: float, p_too_small: float, says: str) -> None:
    assert claim(result(*bounds), p, p_too_small) == says


def test_a_look_has_a_level_of_its_own() -> None:
    assert claim(result(10, 30), 0.01, 1, alpha=0.005) == "can't tell"
    assert claim(result(1, 4), 0.5, 0.01, alpha=0.005) == "can't tell"


def test_holm_keeps_a_family_of_ten_null_effects_quiet() -> None:
    families: Errors = difference_p(*draw(WORLDS["like the seen"], 10_000, 29, 0)).reshape(1000, 10)
    alarms = sum(min(holm(list(family))) <= 0.05 for family in families)
    assert alarms <= 50 + 3 * math.sqrt(50)  # uncorrected it would be 400
