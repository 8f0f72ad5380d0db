import numpy as np
import pytest
from scipy.stats import t

from tasks.experiment.results.budgets import budget_interval, equivalent_budget, mean_interval, mean_with_band
from tests.support.procedures import BUDGETS, learning_curve

SAMPLES = np.array([100, 400, 1600])
# Every seed's scratch error halves when the images quadruple, so that the mean is 0.4, 0.2, 0.1.
SCRATCH = np.array([[0.4] * 4, [0.2] * 4, [0.1] * 4])


def test_a_curve_that_dips_is_read_as_flat() -> None:
    dips = np.array([[0.4, 0.4], [0.5, 0.5], [0.2, 0.2]])
    found = equivalent_budget(SAMPLES, dips, np.array([0.3, 0.3]))
    assert found["estimate"] == pytest.approx(800)  # half-way from 400, where the best so far is 0.4, to 1600


def test_band_holds_the_mean() -> None:
    band = mean_with_band(np.array([0.1, 0.2, 0.3]))
    assert band["accuracy"] == pytest.approx(0.8)
    assert band["low"] < 0.8 < band["high"]


def test_interpolated_by_hand() -> None:
    """An error of 0.3 lies half-way between 100 and 400 images on a logarithmic scale: at 200."""
    found = equivalent_budget(SAMPLES, SCRATCH, np.array([0.28, 0.32, 0.29, 0.31]))
    assert found["estimate"] == pytest.approx(200)
    assert 100 < found["low"] < 200 < found["high"] < 400


@pytest.mark.parametrize("worth", [30, 200, 900])
@pytest.mark.parametrize("seeds", [3, 5, 29])
def test_it_covers(seeds: int, worth: float) -> None:
    rng = np.random.default_rng(1)
    found = [budget_interval(BUDGETS, *learning_curve(rng, seeds, worth)) for _ in range(400)]
    assert 0.925 <= np.mean([low <= worth <= high for low, high in found]) <= 0.985


def test_by_hand() -> None:
    """Scratch is constant: the interval of transfer's mean, read on the curve. 0.3 lies half-way from 100 to 400."""
    transfer = np.array([0.28, 0.32, 0.29, 0.31])
    half = t.ppf(0.975, 3) * transfer.std(ddof=1) / 2
    expected = [100 * 4 ** ((0.4 - error) / 0.2) for error in (0.3 + half, 0.3 - half)]
    assert budget_interval(SAMPLES, SCRATCH, transfer) == pytest.approx(expected, rel=0.01)


def test_seeds_are_paired() -> None:
    """Seeds differ by a shift that both arms share: within a seed transfer always equals scratch at 200 images."""
    shift = np.array([-0.05, -0.02, 0.02, 0.05])
    assert budget_interval(SAMPLES, SCRATCH + shift, 0.3 + shift) == pytest.approx((200, 200), rel=0.01)


@pytest.mark.parametrize(("error", "end"), [(0.05, 1600), (0.6, 100)])
def test_outside_of_the_budgets_it_is_their_end(error: float, end: int) -> None:
    assert budget_interval(SAMPLES, SCRATCH, np.full(4, error)) == pytest.approx((end, end))


def test_it_holds_the_estimate() -> None:
    rng = np.random.default_rng(2)
    for _ in range(5):
        drawn = learning_curve(rng, 5, 200)
        low, high = budget_interval(BUDGETS, *drawn)
        assert low * 0.999 <= equivalent_budget(BUDGETS, *drawn)["estimate"] <= high * 1.001


def test_of_few_seeds_there_is_none() -> None:
    assert budget_interval(SAMPLES, SCRATCH[:, :2], np.array([0.3, 0.2])) is None
    assert mean_interval(np.array([0.1, 0.2])) is None


def test_a_mean_has_students_interval() -> None:
    errors = np.array([0.1, 0.2, 0.3])
    assert mean_interval(errors) == pytest.approx(t.interval(0.95, 2, 0.2, 0.1 / 3**0.5))
