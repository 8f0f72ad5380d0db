"""What is said of answers that rest on little."""

import pytest

from tasks.experiment.reports.cautions import baseline, cautions
from tasks.experiment.results.pairs import Replicate, replicate


def pairs(*accuracies: tuple[float, float]) -> list[Replicate]:
    return [
        replicate(seed, scratch={"accuracy": scratch}, transfer={"accuracy": transfer})  # type: ignore[typeddict-item]
        for seed, (scratch, transfer) in enumerate(accuracies)
    ]


def classes(**test: int) -> list[dict[str, object]]:
    return [{"class": name, "test": count} for name, count in test.items()]


def test_what_six_test_images_can_show() -> None:
    """Wilson's interval of one half on six images is 0.188 … 0.812."""
    (said,) = cautions(classes(a=3, b=3), pairs((0.8, 0.5), (0.7, 0.9)))
    assert said == (
        "There are only 6 test images: each is 16.7 points of accuracy, which so few show to ± 31 points at best."
    )
    assert not cautions(classes(a=50, b=50), pairs((0.8, 0.5)))


@pytest.mark.parametrize(
    ("accuracies", "learned"),
    [([(0.5, 0.5)], False), ([(0.508, 0.4)], False), ([(0.52, 0.5)], True), ([(0.5, 0.7), (0.5, 0.5)], True)],
)
def test_that_neither_network_learned(accuracies: list[tuple[float, float]], learned: bool) -> None:
    said = cautions(classes(a=500, b=500), pairs(*accuracies))
    assert learned == (not said)
    for each in said:
        assert "Neither network learned the task" in each
        assert "another learning_rate" in each


def test_naming_the_commonest_class_is_no_learning() -> None:
    (said,) = cautions(classes(rare=100, often=900), pairs((0.9, 0.9)))
    assert "scratch is right on 90.0 % and transfer on 90.0 %, and naming often always would be on 90.0 %" in said
    assert not cautions(classes(a=500, b=500), pairs((0.9, 0.9)))


def test_that_classes_are_imbalanced_is_said_beside_an_accuracy() -> None:
    """Naming the commonest always is right on 75 %; from three times as many images on that is told."""
    (said,) = cautions(classes(rare=100, often=300), pairs((0.9, 0.95)))
    assert said.startswith("The classes are imbalanced: naming often always would be right on 75.0 %.")
    assert not cautions(classes(rare=101, often=300), pairs((0.9, 0.95)))


def test_by_another_metric_the_baseline_is_another_and_imbalance_is_no_matter() -> None:
    def by(balanced: float, auc: float) -> list[Replicate]:
        arm = {"accuracy": 0.9, "balanced_accuracy": balanced, "roc_auc": auc}
        return [replicate(42, arm, arm)]  # type: ignore[arg-type]

    unequal = classes(rare=100, often=900)
    assert baseline(unequal) == {"class": "often", "accuracy": 0.9, "balanced_accuracy": 0.5, "roc_auc": 0.5}
    assert not cautions(unequal, by(0.6, 0.8), "balanced_accuracy")
    (said,) = cautions(unequal, by(0.505, 0.8), "balanced_accuracy")
    assert "scratch has a balanced accuracy of 50.5 % and transfer of 50.5 %, and naming one class always has" in said
    (said,) = cautions(unequal, by(0.6, 0.4), "roc_auc")
    assert "a ROC AUC of 40.0 %" in said
