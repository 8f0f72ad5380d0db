import numpy as np
import pytest

from tasks.experiment.recommend.curve import fit_power_law, learning_curve


def test_a_power_law_is_found_again() -> None:
    images = np.array([40.0, 80, 120, 160])
    floor, factor, exponent = fit_power_law(images, 0.02 + 1.5 * images**-0.5)
    assert (floor, factor, exponent) == (pytest.approx(0.02), pytest.approx(1.5), pytest.approx(0.5))


def test_errors_that_grow_with_more_images_make_a_flat_law() -> None:
    images = np.array([40.0, 80, 120, 160])
    floor, factor, _ = fit_power_law(images, np.array([0.1, 0.11, 0.12, 0.13]))
    assert floor == pytest.approx(0.115)
    assert factor == pytest.approx(0, abs=1e-12)


def test_what_more_labels_are_worth() -> None:
    """Of 400 images the errors are 0.5 · images^−0.5, nested, so that a smaller number of images is never better."""
    sizes, order = [64, 100, 144, 256], np.random.default_rng(2).permutation(400)
    rights = []
    for size in sizes:
        wrong = round(400 * 0.5 * size**-0.5)
        right = np.ones((2, 400), bool)
        right[:, order[:wrong]] = False
        rights.append(right)
    curve = learning_curve(rights, sizes, labels=400, seed=1)
    truth = 100 * 0.5 * (400**-0.5 - 800**-0.5)
    assert curve["worth"] == pytest.approx(truth, abs=0.25)
    assert curve["worth_low"] < truth < curve["worth_high"]
    assert [each["images"] for each in curve["measured"]] == sizes
    assert curve["measured"][0]["accuracy"] == pytest.approx(1 - 25 / 400)
    accuracies = [each["accuracy"] for each in curve["fitted"]]
    assert accuracies == sorted(accuracies)
    assert curve["fitted"][-1]["images"] == 1600
