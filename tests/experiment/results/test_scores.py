import numpy as np
import pytest

from tasks.experiment.results import scores
from tasks.experiment.results.scores import confusion_matrix, decide, score

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
        "loss": None,
    }


def test_another_metric_is_another_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scores.METRICS, "recall", lambda p, labels: float(np.mean(decide(p)[labels == 1])))
    assert score(TWO, np.array([1, 1, 0, 0], np.int32))["recall"] == 0.5
