import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.experiment.results.statistics.intervals import difference_interval, error_reduction_interval, share_interval
from tasks.experiment.results.statistics.verdicts import difference_p
from tests.support.studies import HARD_WORLDS, WORLDS, bounds, covered, draw

STUDIES = 3000  # of which 95 % cover to within 1.2 points (three standard deviations)


@pytest.mark.parametrize("effect", [0, 25])
@pytest.mark.parametrize("pairs", [3, 5, 10, 29, 100])
@pytest.mark.parametrize("world", WORLDS)
def test_the_interval_covers_at_any_number_of_pairs(world: str, pairs: int, effect: float) -> None:
    low, high = bounds(*draw(WORLDS[world], STUDIES, pairs, effect))
    assert 0.93 <= covered(low, high, effect) <= 0.98
    assert np.isfinite(low).any()


@pytest.mark.parametrize(
    ("world", "pairs", "covers"), [("skewed scratch", 5, 0.89), ("5 % of scratch diverge", 10, 0.73)]
)
def test_where_no_method_covers_it_does_not_either(world: str, pairs: int, covers: float) -> None:
    """What most samples don't show, no interval of theirs can hold. DECISIONS.md says so; here it is seen."""
    assert covered(*bounds(*draw(HARD_WORLDS[world], STUDIES, pairs, 25)), 25) == pytest.approx(covers, abs=0.02)


@pytest.mark.parametrize("pairs", [1, 2])
def test_below_three_pairs_there_is_none_and_it_says_so(pairs: int) -> None:
    found = error_reduction_interval(np.array([0.2, 0.21])[:pairs], np.array([0.1, 0.11])[:pairs])
    assert (found["low"], found["high"], found["n"]) == (None, None, pairs)
    assert found["method"] == "none: it takes 3 pairs"


@pytest.mark.parametrize(
    ("scratch", "transfer"),
    [
        ([0.0, 0.0, 0.6], [0.1, 0.1, 0.2]),  # scratch's mean error may be 0: the ratio is unbounded
        ([0.1, 0.2, 0.3], [0.05, 0.1, 0.15]),  # half in every pair: nobody knows how much that varies
        ([0.5] * 5, [0.5] * 5),
        ([0.0] * 5, [0.1, 0.1, 0.2, 0.1, 0.1]),
        ([0.1, 0.2, 0.1], [0.0] * 3),
    ],
)
def test_what_is_unbounded_or_does_not_vary_has_none(scratch: list[float], transfer: list[float]) -> None:
    found = error_reduction_interval(np.array(scratch), np.array(transfer))
    assert (found["low"], found["high"]) == (None, None)
    assert found["method"].startswith("none: ")


def test_by_hand() -> None:
    """With a constant scratch error it is Student's interval of the mean: t(2) = 4.30265, sd 0.5, n = 3."""
    found = error_reduction_interval(np.full(3, 2.0), np.array([0.5, 1.0, 1.5]))
    half = 100 * 4.30265 * 0.5 / 3**0.5 / 2
    assert (found["estimate"], found["low"], found["high"]) == pytest.approx((50, 50 - half, 50 + half), rel=1e-4)
    assert (found["confidence"], found["n"], found["unit"]) == (0.95, 3, "percent")


@given(st.integers(0, 2**31), st.integers(6, 30))
def test_it_ends_where_the_t_test_gives_5_percent(seed: int, pairs: int) -> None:
    rng = np.random.default_rng(seed)
    scratch = rng.normal(0.10, 0.01, pairs)
    transfer = rng.normal(0.8, 0.1) * scratch + rng.normal(0, 0.005, pairs)
    found = error_reduction_interval(scratch, transfer)
    for bound in (found["low"], found["high"]):
        assert difference_p((1 - bound / 100) * scratch, transfer) == pytest.approx(0.05, rel=1e-6)


def test_a_wider_confidence_is_wider() -> None:
    scratch, transfer = (errors[0] for errors in draw(WORLDS["like the seen"], 1, 10, 25))
    narrow, wide = (error_reduction_interval(scratch, transfer, c) for c in (0.9, 0.99))
    assert wide["low"] < narrow["low"] < narrow["estimate"] < narrow["high"] < wide["high"]


def shares(gain: float, seeds: int) -> tuple[int, list[tuple[float, float]]]:
    """(studies without an interval, the others' intervals), where self-transfer reaches 40 % of such a gain."""
    rng = np.random.default_rng(2)
    found = []
    for hard in rng.normal(0, 0.01, (1000, seeds)):
        own = 0.01 * rng.standard_normal((3, seeds))
        scratch, part, transfer = (0.12 - lower + hard + o for lower, o in zip((0, 0.4 * gain, gain), own, strict=True))
        share = share_interval(scratch, part, transfer)
        if share["low"] is not None:
            found.append((share["low"], share["high"]))
    return 1000 - len(found), found


@pytest.mark.parametrize("seeds", [5, 29])
def test_a_share_of_the_gain_covers(seeds: int) -> None:
    none, found = shares(0.04, seeds)
    assert none <= 20
    assert 0.93 <= np.mean([low <= 40 <= high for low, high in found]) <= 0.98


def test_without_a_clear_gain_there_is_no_share() -> None:
    none, _ = shares(0, 5)
    assert none >= 930
    nothing = np.array([0.1, 0.2, 0.3])
    assert share_interval(nothing, nothing / 2, nothing)["estimate"] is None


def test_a_share_takes_the_seeds_together() -> None:
    """The gain differs between seeds, the share is always about a half: it is known far better than the gain."""
    gain = np.array([0.02, 0.03, 0.05, 0.08, 0.03])
    part = gain * np.array([0.49, 0.51, 0.50, 0.50, 0.50])
    share = share_interval(np.full(5, 0.3), 0.3 - part, 0.3 - gain)
    assert share["estimate"] == pytest.approx(50, abs=0.5)
    gained = error_reduction_interval(np.full(5, 0.3), 0.3 - gain)
    assert (share["high"] - share["low"]) / 50 < 0.1 < 1 < (gained["high"] - gained["low"]) / gained["estimate"]


@pytest.mark.parametrize("pairs", [3, 8, 29])
def test_the_difference_of_two_error_reductions_covers(pairs: int) -> None:
    before, after = (
        draw(WORLDS["100 real pairs"], STUDIES, pairs, effect, seed) for effect, seed in ((25, 1), (40, 2))
    )
    _, low, high = difference_interval(before, after)
    assert 0.93 <= covered(low, high, 15) <= 0.98


def test_the_difference_is_paired_by_seed() -> None:
    """Both networks' errors vary together from seed to seed: the difference hardly does. Two pairs have no interval."""
    hard = np.linspace(0.5, 1.5, 9)
    found = difference_interval((0.2 * hard, 0.15 * hard), (0.1 * hard, 0.05 * hard))
    assert found == pytest.approx((25, 25, 25))
    assert np.isnan(difference_interval((hard[:2], hard[:2]), (hard[:2], hard[:2]))[1])
