import numpy as np
import pytest

from tasks.experiment.results.budgets import equivalent_budget, mean_with_band

SAMPLES = np.array([100, 400, 1600])
# Every seed's scratch error halves when the images quadruple, so that the mean is 0.4, 0.2, 0.1.
SCRATCH = np.array([[0.4] * 4, [0.2] * 4, [0.1] * 4])


def test_interpolated_by_hand() -> None:
    """An error of 0.3 lies half-way between 100 and 400 images on a logarithmic scale: at 200."""
    found = equivalent_budget(SAMPLES, SCRATCH, np.array([0.28, 0.32, 0.29, 0.31]))
    assert found["estimate"] == pytest.approx(200)
    assert 100 < found["low"] < 200 < found["high"] < 400


@pytest.mark.parametrize(("error", "end"), [(0.05, 1600), (0.6, 100)])
def test_outside_of_the_budgets_the_answer_is_their_end(error: float, end: int) -> None:
    found = equivalent_budget(SAMPLES, SCRATCH, np.full(4, error))
    assert (found["estimate"], found["low"], found["high"]) == pytest.approx((end, end, end))


def test_a_curve_that_dips_is_read_as_flat() -> None:
    dips = np.array([[0.4, 0.4], [0.5, 0.5], [0.2, 0.2]])
    found = equivalent_budget(SAMPLES, dips, np.array([0.3, 0.3]))
    assert found["estimate"] == pytest.approx(800)  # half-way from 400, where the best so far is 0.4, to 1600


def test_seeds_are_resampled_whole() -> None:
    """Seeds differ by a shift that both arms share: within a seed transfer always equals scratch at 200 images."""
    shift = np.array([-0.05, -0.02, 0.02, 0.05])
    found = equivalent_budget(SAMPLES, SCRATCH + shift, 0.3 + shift)
    assert (found["low"], found["high"]) == pytest.approx((200, 200))


def test_one_seed_has_no_interval() -> None:
    one = equivalent_budget(SAMPLES, SCRATCH[:, :1], np.array([0.3]))
    assert (one["estimate"], one["low"], one["high"]) == (pytest.approx(200), None, None)


def test_band_holds_the_mean() -> None:
    band = mean_with_band(np.array([0.1, 0.2, 0.3]))
    assert band["accuracy"] == pytest.approx(0.8)
    assert band["low"] < 0.8 < band["high"]
