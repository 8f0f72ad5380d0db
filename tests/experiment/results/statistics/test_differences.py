import numpy as np
import pytest

from tasks.experiment.results.statistics.differences import difference, mean_of


def test_points_by_hand() -> None:
    """Differences of 1, 2 and 3 points: mean 2, standard deviation 1, t(2) = 4.30265."""
    found = difference({"S*": np.array([0.05, 0.07, 0.09]), "T*": np.array([0.04, 0.05, 0.06])}, "S*", "T*")
    half = 4.30265 / 3**0.5
    points = found["points"]
    assert (points["estimate"], points["low"], points["high"]) == pytest.approx((2, 2 - half, 2 + half), rel=1e-5)
    assert (points["unit"], points["n"]) == ("points", 3)
    assert (found["before"], found["after"]) == ("S*", "T*")
    assert found["error_reduction"]["estimate"] == pytest.approx(100 * 2 / 7)


def test_points_and_percent_agree_on_whether_there_is_a_difference() -> None:
    """Both invert the same t-test, so one holds 0 exactly where the other does."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        scratch, transfer = rng.normal(0.1, 0.01, (2, 6))
        found = difference({"a": scratch, "b": transfer}, "a", "b")
        holds_zero = [each["low"] <= 0 <= each["high"] for each in (found["points"], found["error_reduction"])]
        assert holds_zero[0] == holds_zero[1]


def test_of_two_seeds_there_is_no_interval_and_it_says_so() -> None:
    found = mean_of(np.array([0.1, 0.2]), "percent")
    assert (found["estimate"], found["low"], found["high"]) == (pytest.approx(15), None, None)
    assert found["method"] == "none: it takes 3 seeds"
