import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from flows.study import transfer_study
from tasks.experiment.results.statistics import (
    accuracy_interval,
    error_reduction,
    error_reduction_interval,
    error_reduction_t_interval,
    holm,
    mcnemar,
    t_test_p,
    wilcoxon_p,
    wins,
)
from tasks.experiment.results.verdicts import TOO_SMALL, verdict
from tests.walkthrough.convolutions import difference


def test_error_reduction_by_hand() -> None:
    assert error_reduction(np.array([0.1, 0.3]), np.array([0.1, 0.2])) == pytest.approx(25)
    assert error_reduction(np.array([0.1]), np.array([0.2])) == pytest.approx(-100)
    assert error_reduction(np.array([0.0]), np.array([0.1])) is None


def test_interval_holds_the_estimate_and_one_pair_has_none() -> None:
    scratch, transfer = np.array([0.12, 0.11, 0.13, 0.10, 0.12]), np.array([0.09, 0.08, 0.10, 0.09, 0.07])
    several = error_reduction_interval(scratch, transfer)
    assert several["low"] < several["estimate"] < several["high"]
    assert several == error_reduction_interval(scratch, transfer)
    one = error_reduction_interval(scratch[:1], transfer[:1])
    assert (one["low"], one["high"], one["n"]) == (None, None, 1)
    same_ratio = error_reduction_interval(scratch, scratch / 2)
    assert same_ratio["low"] == pytest.approx(50)
    assert same_ratio["high"] == pytest.approx(50)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    scratch = rng.normal(0.10, 0.01, (200, 29))
    transfer = 0.8 * scratch + rng.normal(0, 0.005, (200, 29))
    intervals = [error_reduction_interval(s, t) for s, t in zip(scratch, transfer, strict=True)]
    covered = np.mean([i["low"] <= 20 <= i["high"] for i in intervals])
    assert 0.88 <= covered <= 0.99


def test_wins_by_hand() -> None:
    """Ties left out, one win of two; the exact interval of 1 of 2 is 1 − √0.975 … √0.975."""
    result = wins(np.array([3.0, 2.0, 1.0]), np.array([2.0, 2.0, 2.0]))
    assert (result["wins"], result["ties"], result["n"], result["p_transfer_better"]) == (1, 1, 3, 0.5)
    assert (result["low"], result["high"]) == pytest.approx((1 - 0.975**0.5, 0.975**0.5))


def test_all_wins_and_all_ties() -> None:
    """The lower bound of n wins in n pairs is 0.025^(1/n)."""
    every = wins(np.full(10, 0.2), np.full(10, 0.1))
    assert (every["p_transfer_better"], every["low"], every["high"]) == pytest.approx((1, 0.025**0.1, 1))
    same = wins(np.full(3, 0.2), np.full(3, 0.2))
    assert (same["p_transfer_better"], same["low"], same["high"], same["ties"]) == (None, None, None, 3)


def test_wilcoxon_on_darwins_maize() -> None:
    """Differences in height of 15 pairs of plants (Darwin 1876), whose exact p the literature gives as 0.041."""
    differences = np.array([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]) / 1000
    assert wilcoxon_p(0.2 + differences, np.full(15, 0.2)) == pytest.approx(0.041259765625)
    assert wilcoxon_p(np.full(5, 0.2), np.full(5, 0.2)) == 1
    assert wilcoxon_p(np.full(5, 0.2), np.array([0.1, 0.11, 0.12, 0.13, 0.14])) == pytest.approx(2 / 2**5)


def test_holm_by_hand() -> None:
    """4 × 0.005, 3 × 0.01, then 2 × 0.03, which 1 × 0.04 may not fall below."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]


def test_t_interval_by_hand() -> None:
    """With a constant scratch error it is Student's interval of the mean: t(2) = 4.30265, sd 0.5, n = 3."""
    found = error_reduction_t_interval(np.full(3, 2.0), np.array([0.5, 1.0, 1.5]))
    half = 4.30265 * 0.5 / 3**0.5 / 2
    expected = pytest.approx((50, 50 - 100 * half, 50 + 100 * half), rel=1e-4)
    assert (found["estimate"], found["low"], found["high"]) == expected


@given(st.integers(0, 2**31), st.integers(3, 30))
def test_t_interval_ends_where_the_t_test_gives_5_percent(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scratch = rng.normal(0.10, 0.01, n)
    transfer = rng.normal(0.8, 0.1) * scratch + rng.normal(0, 0.005, n)
    found = error_reduction_t_interval(scratch, transfer)
    for bound in (found["low"], found["high"]):
        assert t_test_p((1 - bound / 100) * scratch, transfer) == pytest.approx(0.05, rel=1e-6)


def test_t_test_needs_differences_that_differ() -> None:
    assert t_test_p(np.array([0.2, 0.3, 0.4]), np.array([0.1, 0.2, 0.3])) == 1
    assert t_test_p(np.array([0.2]), np.array([0.1])) == 1


def test_t_interval_that_would_be_unbounded_is_none() -> None:
    found = error_reduction_t_interval(np.array([0.0, 0.2]), np.array([0.1, 0.1]))
    assert (found["estimate"], found["low"], found["high"]) == (0, None, None)


@pytest.mark.parametrize(
    ("low", "high", "p", "says"),
    [
        (10.0, 30.0, 0.01, "helps"),
        (1.0, 30.0, 0.01, "helps"),
        (10.0, 30.0, 0.06, "can't tell"),
        (-30.0, -10.0, 0.01, "hurts"),
        (-1.0, 30.0, 0.01, "can't tell"),
        (-4.0, 4.0, 0.5, "too small to matter"),
        (1.0, 4.0, 0.001, "too small to matter"),
        (-4.0, 5.0, 0.5, "can't tell"),
        (None, None, 1.0, "can't tell"),
    ],
)
def test_verdict_by_the_rule(low: float | None, high: float | None, p: float, says: str) -> None:
    result = error_reduction_interval(np.array([0.2]), np.array([0.1])) | {"low": low, "high": high}
    assert verdict(result, p) == says


def test_29_pairs_see_three_wins_in_four() -> None:
    """Noether 1987: ((z(1 − α) + z(1 − β)) / (√6 (P − ½)))² pairs, α = β = 0.05, P = 0.75."""
    pairs = (2 * norm.ppf(0.95) / (6**0.5 * 0.25)) ** 2
    assert inspect.signature(transfer_study.fn).parameters["replicates"].default == math.ceil(pairs)


def simulated(effect: float, studies: int, pairs: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs whose true error reduction is `effect` percent; counts of 2,000 images, as in the study."""
    rng = np.random.default_rng(11)
    scratch = rng.normal(0.115, 0.012, (studies, pairs))
    transfer = (1 - effect / 100) * rng.normal(0.115, 0.012, (studies, pairs))
    return list(zip(*(np.round(errors * 2000) / 2000 for errors in (scratch, transfer)), strict=True))


def judged(pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[str, dict]]:
    intervals = [error_reduction_interval(*pair) for pair in pairs]
    return [(verdict(i, wilcoxon_p(*pair)), i) for i, pair in zip(intervals, pairs, strict=True)]


@pytest.mark.parametrize("pairs", [5, 29])
def test_without_any_effect_a_claim_errs_at_most_as_often_as_it_says(pairs: int) -> None:
    """600 studies: 5 % would be 30 claims; 44 are 2.6 standard deviations above."""
    results = judged(simulated(0, 600, pairs))
    assert sum(says in ("helps", "hurts") for says, _ in results) <= 44
    if pairs == 29:
        covered = sum(i["low"] <= 0 <= i["high"] for _, i in results)
        assert 600 * 0.91 <= covered <= 600 * 0.98


def test_an_effect_at_the_margin_is_rarely_called_too_small_and_a_large_one_is_seen() -> None:
    at_margin = [says for says, _ in judged(simulated(TOO_SMALL, 300, 29))]
    assert at_margin.count("too small to matter") <= 300 * 0.05
    assert [says for says, _ in judged(simulated(20, 100, 29))].count("helps") >= 99


def test_holm_keeps_a_family_of_ten_null_effects_quiet() -> None:
    pairs = simulated(0, 1000, 29)
    p = np.array([wilcoxon_p(*pair) for pair in pairs]).reshape(100, 10)
    alarms = sum(min(holm(family.tolist())) <= 0.05 for family in p)
    assert alarms <= 11  # 5 expected; uncorrected it would be 40


def test_mcnemar_by_hand() -> None:
    scratch = np.array([True, False, False, False, False, False])
    transfer = np.array([True, True, True, True, True, True])
    result = mcnemar(scratch, transfer)
    assert (result["only_scratch_right"], result["only_transfer_right"]) == (0, 5)
    assert result["p_value"] == pytest.approx(2 / 2**5)
    assert mcnemar(transfer, transfer)["p_value"] == 1


@pytest.mark.parametrize(("right", "images"), [(0, 20), (20, 20), (85, 107), (1836, 2000)])
def test_accuracy_interval_is_scipys_wilson(right: int, images: int) -> None:
    from scipy.stats import binomtest

    expected = binomtest(right, images).proportion_ci(method="wilson")
    found = accuracy_interval(right / images, images)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_difference_of_two_error_reductions_is_paired_by_seed() -> None:
    """Both networks' errors vary together from seed to seed: the difference hardly does."""
    hard = np.linspace(0.5, 1.5, 9)

    def metrics(scratch: float, transfer: float) -> dict:
        pairs = [
            {"seed": i, "scratch": {"accuracy": 1 - scratch * h}, "transfer": {"accuracy": 1 - transfer * h}}
            for i, h in enumerate(hard)
        ]
        return {"replicates": pairs}

    found = difference(metrics(0.2, 0.15), metrics(0.1, 0.05))
    assert found["points"] == pytest.approx(25)
    assert (found["low"], found["high"]) == pytest.approx((25, 25))
    assert found["pairs"] == 9
