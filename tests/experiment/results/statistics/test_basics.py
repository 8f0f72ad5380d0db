import inspect
import math

import numpy as np
import pytest
from scipy.stats import norm

from flows.study import transfer_study
from tasks.experiment.results.statistics.basics import (
    accuracy_interval,
    error_reduction,
    holm,
    mcnemar,
    wins,
)
from tasks.experiment.results.statistics.verdicts import difference_p


def test_error_reduction_by_hand() -> None:
    assert error_reduction(np.array([0.1, 0.3]), np.array([0.1, 0.2])) == pytest.approx(25)
    assert error_reduction(np.array([0.1]), np.array([0.2])) == pytest.approx(-100)
    assert error_reduction(np.array([0.0]), np.array([0.1])) is None


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


def test_holm_by_hand() -> None:
    """4 × 0.005, 3 × 0.01, then 2 × 0.03, which 1 × 0.04 may not fall below."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]


def test_29_pairs_see_three_wins_in_four() -> None:
    """Noether 1987: ((z(1 − α) + z(1 − β)) / (√6 (P − ½)))² pairs, α = β = 0.05, P = 0.75."""
    pairs = (2 * norm.ppf(0.95) / (6**0.5 * 0.25)) ** 2
    assert inspect.signature(transfer_study.fn).parameters["replicates"].default == math.ceil(pairs)


def test_holm_keeps_a_family_of_ten_null_effects_quiet() -> None:
    """100 families: 5 % would be 5 alarms; 11 are 2.8 standard deviations above."""
    errors = np.random.default_rng(11).normal(0.115, 0.012, (2, 100, 10, 29))
    p = difference_p(*np.round(errors * 2000) / 2000)
    assert sum(min(holm(family.tolist())) <= 0.05 for family in p) <= 11


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
