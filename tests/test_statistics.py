import numpy as np
import pytest

from tasks.experiment.statistics import error_reduction, error_reduction_interval, mcnemar, wins


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
    assert wins(np.array([3.0, 2.0, 1.0]), np.array([2.0, 2.0, 2.0])) == {
        "wins": 1, "ties": 1, "n": 3, "p_transfer_better": 0.5,
    }  # fmt: skip


def test_mcnemar_by_hand() -> None:
    scratch = np.array([True, False, False, False, False, False])
    transfer = np.array([True, True, True, True, True, True])
    result = mcnemar(scratch, transfer)
    assert (result["only_scratch_right"], result["only_transfer_right"]) == (0, 5)
    assert result["p_value"] == pytest.approx(2 / 2**5)
    assert mcnemar(transfer, transfer)["p_value"] == 1
