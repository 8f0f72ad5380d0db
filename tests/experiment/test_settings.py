import pytest
from pydantic import ValidationError

from tasks.experiment.data.class_names import class_number, class_numbers
from tasks.experiment.data.fashion_mnist import CLASS_NAMES
from tasks.experiment.settings import Experiment


def test_defaults_are_the_notebooks() -> None:
    experiment = Experiment()
    assert class_numbers(experiment.target_classes, CLASS_NAMES) == (0, 2)
    assert experiment.transfer_training.frozen_epochs == 4
    assert experiment.scratch_training.epochs == experiment.transfer_training.epochs == 20


def test_tuning_is_of_task_b_alone_and_takes_two_images_of_each_class() -> None:
    tuned = Experiment(tuning="cv")
    assert [each.tuning for each in (tuned.source_training, tuned.scratch_training, tuned.transfer_training)] == [
        "none", "cv", "cv",
    ]  # fmt: skip
    assert (tuned.target.fewest, Experiment().target.fewest) == (2, 0)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"frozen_epochs": 21}, ["frozen_epochs", "target_epochs"]),
        ({"target_classes": ("Pullover", 2)}, ["twice", "Pullover"]),
        ({"target_classes": ("Pullover", "Hat")}, ["Hat", "Ankle boot"]),
        ({"target_classes": (0, 10)}, ["10", "0–9"]),
        ({"target_sample": 100}, ["target_sample", "Extra inputs"]),
        ({"learning_rate": float("nan")}, ["learning_rate", "finite"]),
        ({"target_samples": 0}, ["target_samples", "greater than or equal to 2"]),
    ],
)
def test_nonsense_is_refused_by_name(settings: dict, names: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Experiment(**settings)
    assert all(name in str(refused.value) for name in names)


def test_class_by_name_or_number() -> None:
    assert {class_number(name, CLASS_NAMES) for name in ("pullover", 2, "2")} == {2}


def test_a_name_that_is_a_number_is_a_name() -> None:
    assert class_number("7", ("9", "8", "7")) == 2
    assert class_number(1, ("9", "8", "7")) == class_number("1", ("9", "8", "7")) == 1


def test_classes_of_ones_own_are_checked_when_the_data_are_known() -> None:
    own = Experiment(dataset="own.npz", target_classes=("cat", "dog", "cow"))
    assert class_numbers(own.target_classes, ("cow", "horse", "dog", "cat")) == (3, 2, 0)
    assert own.vary(balanced=True).target_images == 600
    with pytest.raises(ValueError, match=r"no class 'cow'.* one of cat, dog"):
        class_numbers(own.target_classes, ("cat", "dog"))
