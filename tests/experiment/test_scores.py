from typing import get_args

import numpy as np
import pytest

from tasks.experiment import scores
from tasks.experiment.scores import Metric, confusion_matrix, decide, error_by, image_errors, score

TWO = np.array([0.9, 0.4, 0.6, 0.2], np.float32)  # of the positive class
THREE = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]], np.float32)


def test_two_classes_by_hand() -> None:
    labels = np.array([1, 1, 0, 0], np.int32)
    assert decide(TWO).tolist() == [1, 0, 1, 0]
    found = score(TWO, labels)
    assert found["accuracy"] == 0.5
    assert found["loss"] == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.8]).mean(), rel=1e-6)
    assert confusion_matrix(TWO, labels) == [[1, 1], [1, 1]]


def test_three_classes_by_hand() -> None:
    labels = np.array([0, 2, 0], np.int32)
    found = score(THREE, labels)
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["loss"] == pytest.approx(-np.log([0.7, 0.6, 0.2]).mean(), rel=1e-6)
    assert confusion_matrix(THREE, labels) == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("shape", [(4,), (4, 3)])
def test_a_diverged_network_answers_the_first_class_and_has_no_loss(shape: tuple[int, ...]) -> None:
    assert score(np.full(shape, np.nan, np.float32), np.array([0, 1, 0, 0], np.int32)) == {
        "accuracy": 0.75,
        "balanced_accuracy": 0.5,
        "roc_auc": 0.5,
        "loss": None,
    }


def test_balanced_accuracy_and_roc_auc_by_hand() -> None:
    """Of the class with three images one is right, of the other both; of 3 × 2 pairs 5 are in order, and 1 is a tie."""
    probabilities = np.array([0.9, 0.6, 0.3, 0.9, 0.95], np.float32)
    labels = np.array([0, 0, 0, 1, 1], np.int32)
    found = score(probabilities, labels)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["balanced_accuracy"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["roc_auc"] == pytest.approx(5.5 / 6)
    of_images = image_errors("balanced_accuracy", probabilities, labels)
    assert of_images == pytest.approx(np.array([5 / 6, 5 / 6, 0, 0, 0]))
    assert of_images.mean() == pytest.approx(1 - found["balanced_accuracy"])
    for metric in get_args(Metric):
        assert error_by(metric, probabilities, labels) == pytest.approx(1 - found[metric])


def test_of_three_classes_roc_auc_is_the_mean_of_each_against_the_rest() -> None:
    """0 against the rest: 0.7 above 0.1 and 0.2; 1: 0.5 above 0.2 and 0.3; 2: 0.3 above 0.1, below 0.6."""
    labels = np.array([0, 2, 1], np.int32)
    assert score(THREE, labels)["roc_auc"] == 1
    assert score(THREE, np.array([0, 1, 2], np.int32))["roc_auc"] == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_images_of_one_class_have_no_roc_auc() -> None:
    assert score(TWO, np.ones(4, np.int32))["roc_auc"] is None


def test_another_metric_is_another_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scores.METRICS, "recall", lambda p, labels: float(np.mean(decide(p)[labels == 1])))
    assert score(TWO, np.array([1, 1, 0, 0], np.int32))["recall"] == 0.5
