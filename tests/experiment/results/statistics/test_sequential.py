import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from tasks.experiment.results.statistics.sequential import STEPS, Look, levels, look_at, looks, told
from tests.support.procedures import run_until_told
from tests.support.studies import REAL, WORLDS, alike, bounds, covered, draw

RUNS = 2000


@pytest.mark.parametrize("most", [29, 100])
@pytest.mark.parametrize("world", WORLDS)
def test_a_run_without_an_effect_claims_a_direction_in_5_percent_at_most(world: str, most: int) -> None:
    """Over all looks together; three standard deviations of the simulation above 5 % are 6.5 %."""
    stopped = run_until_told(*draw(WORLDS[world], RUNS, most, 0))
    assert np.isin(stopped.says, ("helps", "hurts")).mean() <= 0.065


def test_looking_at_5_percent_each_time_would_claim_far_more_often() -> None:
    scratch, transfer = draw(WORLDS["like the seen"], RUNS, 29, 0)
    outside = [low * high > 0 for low, high in (bounds(scratch[:, :n], transfer[:, :n]) for n in (10, 15, 20, 29))]
    assert np.any(outside, axis=0).mean() > 0.09


@pytest.mark.parametrize(
    ("effect", "most", "pairs", "seen"),
    [(10, 29, 25, 0.62), (25, 29, 12.5, 1), (40, 29, 10, 1), (10, 100, 51, 1), (25, 100, 17, 1), (40, 100, 15, 1)],
)
def test_the_larger_the_effect_the_sooner_a_run_stops(effect: float, most: int, pairs: float, seen: float) -> None:
    stopped = run_until_told(*draw(WORLDS["100 real pairs"], RUNS, most, effect))
    assert stopped.pairs.mean() == pytest.approx(pairs, abs=0.08 * pairs)
    assert (stopped.says == "helps").mean() == pytest.approx(seen, abs=0.04)


@pytest.mark.parametrize("effect", [0, 10, 25, 40])
@pytest.mark.parametrize("most", [29, 100])
def test_the_interval_covers_after_stopping(effect: float, most: int) -> None:
    stopped = run_until_told(*draw(WORLDS["100 real pairs"], RUNS, most, effect))
    assert covered(stopped.low, stopped.high, effect) >= 0.94


def test_an_effect_at_the_margin_is_rarely_called_too_small_and_none_at_all_soon() -> None:
    at_margin = run_until_told(*draw(alike, RUNS, 29, 5))
    assert (at_margin.says == "too small to matter").mean() <= 0.034
    nothing = run_until_told(*draw(alike, RUNS, 29, 0))
    assert (nothing.says == "too small to matter").mean() > 0.98
    assert nothing.pairs.mean() < 15


def test_levels_are_those_of_a_multivariate_normal() -> None:
    """Z after n and m pairs correlate by √(n / m); what stays inside all bounds is what is not yet spent."""
    after = [10, 20, 29]
    limit = norm.isf(np.array(levels(after)) / 2)
    correlation = np.sqrt(np.minimum.outer(after, after) / np.maximum.outer(after, after))
    for k in range(1, 4):
        part = multivariate_normal(cov=correlation[:k, :k])
        inside = part.cdf(limit[:k], lower_limit=-limit[:k], rng=np.random.default_rng(1))
        assert 1 - inside == pytest.approx(0.05 * (after[k - 1] / 29) ** 2, abs=2e-5)


def test_looks() -> None:
    assert [look.pairs for look in looks(29)] == [10, 15, 20, 29]
    assert [look.pairs for look in looks(33)] == [10, 15, 20, 29, 33]
    assert [look.pairs for look in looks(100_000)] == [*STEPS, 100_000]
    assert [look.level for look in looks(29)] == pytest.approx([0.00595, 0.01006, 0.01662, 0.03795], abs=1e-5)
    assert looks(5) == (Look(pairs=5, most=5, level=0.05),)
    assert looks(500, stop_early=False) == (Look(pairs=500, most=500, level=0.05),)
    assert looks(100)[-1].is_last
    assert not looks(100)[0].is_last


def test_a_look_at_real_pairs() -> None:
    says, result = look_at(*REAL, looks(29)[1])
    assert says == "helps"
    assert (result["n"], result["confidence"]) == (15, 0.95)
    assert result["method"].endswith("repeated: 98.99 % at this look")
    low, high = bounds(REAL[0][None, :15], REAL[1][None, :15], looks(29)[1].level)
    assert (result["low"], result["high"]) == (low[0], high[0])


def test_what_the_log_says() -> None:
    first, *_, last = looks(29)
    assert told(first, *look_at(*REAL, first)) == (
        "After 10 of at most 29 pairs: error reduction 29.8 % (0.8 … 46.6 %). That is enough: helps."
    )
    alike = np.tile([0.1, 0.2], 15), np.tile([0.2, 0.1, 0.15], 10)
    assert told(first, *look_at(*alike, first)).endswith("%). These can't tell: more pairs are added.")
    assert told(last, *look_at(*alike, last)).endswith("%). These can't tell.")
    two = Look(pairs=2, most=2, level=0.05)
    assert told(two, *look_at(*REAL, two)) == "After 2 of at most 2 pairs. These can't tell."
