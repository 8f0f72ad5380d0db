import numpy as np
import pytest

from tasks.experiment.networks.tuning.grid import Grid
from tasks.experiment.study.tuned.probe import UNSEEN, answer, cross_validate_probe, fit_head

RNG = np.random.default_rng(3)
INPUTS = RNG.normal(size=(120, 5)).astype(np.float32)


def labels(classes: int) -> np.ndarray:
    return (INPUTS[:, :classes] + RNG.normal(size=(120, classes))).argmax(1).astype(np.int32)


@pytest.mark.parametrize(("classes", "penalty"), [(2, 0.1), (2, 30.0), (4, 1.0)])
def test_the_probe_has_converged(classes: int, penalty: float) -> None:
    """At the minimum of loss plus penalty/2 · |kernel|² the gradient vanishes, also that of the free bias."""
    truth = labels(classes)
    kernel, bias = fit_head(INPUTS, truth, classes, penalty)
    given = answer(INPUTS, (kernel, bias))
    wrong = given - (truth == 1) if classes == 2 else given - np.eye(classes)[truth]
    wrong = wrong.reshape(120, -1)
    # A sigmoid's kernel is the difference of two classes' kernels: sklearn penalizes it as it stands.
    np.testing.assert_allclose(INPUTS.T @ wrong + penalty * kernel, 0, atol=0.05)
    np.testing.assert_allclose(wrong.sum(0), 0, atol=0.05)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_class_without_images_is_not_expected(classes: int) -> None:
    for only in range(classes):
        given = answer(INPUTS, fit_head(INPUTS, np.full(120, only, np.int32), classes, 1.0))
        of_only = given[:, only] if classes > 2 else given if only else 1 - given
        assert of_only == pytest.approx(1 / (1 + (classes - 1) * np.exp(-UNSEEN)), abs=1e-5)
    two = np.arange(120, dtype=np.int32) % 2
    kernel, bias = fit_head(INPUTS, two, 3, 1.0)
    assert kernel.shape == (5, 3)
    assert not kernel[:, 2].any()
    assert answer(INPUTS, (kernel, bias))[:, 2].max() < 0.01


def test_each_penalty_is_judged_by_images_that_the_probe_never_saw() -> None:
    truth, folds = labels(2), np.arange(120) % 3
    weak, strong = cross_validate_probe(INPUTS, truth, 2, folds, Grid(rates=(1.0, 1e6)))
    assert (weak["learning_rate"], strong["learning_rate"]) == (1.0, 1e6)
    wrong = 0
    for fold in range(3):
        head = fit_head(INPUTS[folds != fold], truth[folds != fold], 2, 1.0)
        wrong += ((answer(INPUTS[folds == fold], head) > 0.5) != truth[folds == fold]).sum()
    assert weak["error"] == pytest.approx(wrong / 120)
    assert strong["loss"] == pytest.approx(np.log(2), abs=0.02)  # a penalty that leaves nothing but the classes' shares
