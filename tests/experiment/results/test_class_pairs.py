import numpy as np
import pytest

from tasks.experiment.results.class_pairs import (
    compare_over_classes,
    profiles,
    stratified_bootstrap,
    stratified_reduction,
)
from tasks.experiment.results.statistics.intervals import error_reduction_interval
from tests.support.studies import covered
from tests.support.tuned_worlds import strata

STUDIES = 500


def test_all_pairs_of_classes_by_hand() -> None:
    """Mean errors of 20 and 10 % against 10 and 10 %: two thirds. Better in 2 of 4 runs, a tie in 1: 62.5 %."""
    scratch, transfer = np.array([[0.2, 0.2], [0.1, 0.1]]), np.array([[0.12, 0.08], [0.12, 0.1]])
    found = compare_over_classes({"S*": scratch, "T*": transfer}, [])
    assert (found["scratch_error"], found["transfer_error"]) == pytest.approx((15, 10.5))
    assert found["error_reduction"]["estimate"] == pytest.approx(30)
    assert found["probability_of_improvement"]["estimate"] == pytest.approx(62.5)


def test_a_single_pair_of_classes_has_the_interval_of_its_pairs_of_runs() -> None:
    scratch, transfer = strata(1, 1, 9, 25)
    expected = error_reduction_interval(scratch[0], transfer[0])
    found = stratified_reduction(scratch, transfer)
    assert (found["low"], found["high"]) == pytest.approx((expected["low"], expected["high"]))


@pytest.mark.parametrize(("pairs", "seeds"), [(3, 3), (45, 2), (45, 3)])
def test_the_interval_covers_with_few_seeds_of_each_pair_of_classes(pairs: int, seeds: int) -> None:
    found = [stratified_reduction(*strata(n, pairs, seeds, 20)) for n in range(STUDIES)]
    low, high = np.array([[each["low"], each["high"]] for each in found], float).T
    assert 0.92 <= covered(low, high, 20) <= 0.98


def test_how_hard_a_pair_of_classes_is_plays_no_part_in_the_interval() -> None:
    """Strata that differ by ten times, but hardly within: the interval is narrow."""
    scratch = np.array([[0.01, 0.0101, 0.0099], [0.1, 0.101, 0.099]])
    found = stratified_reduction(scratch, scratch[:, ::-1] * 0.8)
    assert 18 < found["low"] < 20 < found["high"] < 22


def test_the_bootstrap_varies_as_much_as_the_mean_does() -> None:
    """Of three seeds three draws would vary by two thirds of that."""
    values = np.random.default_rng(1).normal(size=(45, 3))
    low, high = stratified_bootstrap(values, np.mean)
    error = np.sqrt((values.var(1, ddof=1) / 3).sum()) / 45
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_a_profile_counts_the_runs_with_at_most_each_error() -> None:
    scratch, transfer = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([[0.1, 0.1], [0.2, 0.2]])
    for profile, counts in zip(profiles({"S*": scratch, "T*": transfer}), ([25, 50, 100], [50, 100, 100]), strict=True):
        at = [np.flatnonzero(np.isclose(profile["errors"], error))[-1] for error in (10, 20, 40)]
        assert [profile["runs"][place] for place in at] == pytest.approx(counts)
        assert all(np.less_equal(profile["low"], profile["high"]))


@pytest.mark.parametrize(("effect", "says"), [(30, "helps"), (-30, "hurts"), (0, "can't tell")])
def test_its_verdict_follows_the_rule(effect: float, says: str) -> None:
    assert compare_over_classes(dict(zip(("S*", "T*"), strata(4, 10, 3, effect), strict=True)), [])["verdict"] == says


def test_a_change_that_is_known_to_be_small_is_too_small_to_matter() -> None:
    scratch, transfer = strata(4, 10, 3, 0)
    nearly = scratch * (1 + 0.01 * np.sign(transfer - transfer.mean(1, keepdims=True)))
    assert compare_over_classes({"S*": scratch, "T*": nearly}, [])["verdict"] == "too small to matter"
