import numpy as np
import pytest
from scipy.stats import t

from tasks.experiment.results.statistics.basics import accuracy_interval
from tasks.experiment.results.statistics.resampled import (
    corrected_resampled_p,
    corrected_standard_error,
    cross_validated_interval,
    effective_images,
)


def test_the_corrected_variance_by_hand() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])  # mean 3, sum of squares 4 + 1 + 0 + 9 = 14, variance 14 / 3
    assert corrected_standard_error(values, 1 / 4) == pytest.approx((14 / 3 * (1 / 4 + 1 / 4)) ** 0.5)
    assert corrected_resampled_p(values, 1 / 4) == pytest.approx(t.sf(3 / (14 / 6) ** 0.5, 3))
    assert corrected_resampled_p(-values, 1 / 4) == pytest.approx(1 - corrected_resampled_p(values, 1 / 4))


def test_without_overlap_it_is_the_ordinary_t_test() -> None:
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(1).normal(0.3, 1, 10)
    assert corrected_resampled_p(values, 0) == pytest.approx(ttest_1samp(values, 0, alternative="greater").pvalue)


@pytest.mark.parametrize(("differences", "p"), [([0, 0, 0], 1), ([1, 1, 1], 0), ([-1, -1, -1], 1)])
def test_differences_that_never_vary(differences: list[float], p: float) -> None:
    assert corrected_resampled_p(np.array(differences, float), 0.25) == p


def test_folds_that_overlap_tell_less_than_as_many_images() -> None:
    assert effective_images(200, folds=5, repetitions=1) == pytest.approx(200 / 2.25)
    assert effective_images(200, folds=5, repetitions=4) == pytest.approx(200 / 1.5)
    interval = cross_validated_interval(0.9, 200, folds=5, repetitions=4)
    ends = accuracy_interval(0.9, 200 / 1.5)
    assert (interval["low"], interval["high"]) == (ends["low"], ends["high"])
    assert interval["n"] == 200


def test_two_equal_learners_are_seldom_told_apart_though_the_plain_t_test_often_does() -> None:
    """Their folds overlap as those of repeated cross-validation: what varies is mostly common to all of them."""
    rng, corrected, plain = np.random.default_rng(0), 0, 0
    studies, folds, images = 400, 5, 60
    for _ in range(studies):
        differences = rng.choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=images)  # of each image, in every repetition
        orders = [rng.permutation(images) for _ in range(6)]
        values = np.concatenate([differences[order].reshape(folds, -1).mean(1) for order in orders])
        corrected += corrected_resampled_p(values, 1 / (folds - 1)) < 0.05
        plain += corrected_resampled_p(values, 0) < 0.05
    assert corrected <= 0.08 * studies
    assert plain >= 0.15 * studies
