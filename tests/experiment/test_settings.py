import pytest
from pydantic import ValidationError

from tasks.experiment.data.class_names import class_number, class_numbers, in_order
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
    assert [name for name in names if name not in str(refused.value)] == []


def test_class_by_name_or_number() -> None:
    assert {class_number(name, CLASS_NAMES) for name in ("pullover", 2, "2")} == {2}


NUMBERED = ("0", "1", "2", "3", "10", "11")


@pytest.mark.parametrize("given", [(2, 3), ("2", "3"), ("2", 3)])
def test_a_number_that_is_a_name_is_that_name_wherever_it_stands(given: tuple[int | str, ...]) -> None:
    assert class_numbers(given, NUMBERED) == (2, 3)
    assert class_numbers(given, ("0", "1", "10", "11", "2", "3")) == (4, 5)
    assert class_numbers(given, ("01", "02", "03", "10")) == (1, 2)


def test_where_names_are_numbers_a_number_is_no_place() -> None:
    with pytest.raises(ValueError, match="no class 4: give one of 0, 1, 2, 3, 10, 11"):
        class_number(4, NUMBERED)
    assert class_number(1, ("1", "01")) == 0
    with pytest.raises(ValueError, match="no class '001'"):
        class_number("001", ("1", "01"))


def test_a_number_is_the_one_that_the_data_have() -> None:
    assert class_numbers((1, "26"), ("a", "c", "z"), (1, 3, 26)) == (0, 2)
    with pytest.raises(ValueError, match="no class 2: give a number 1–26 or one of a, c, z"):
        class_number(2, ("a", "c", "z"), (1, 3, 26))


def test_numbers_sort_by_value_before_words() -> None:
    assert in_order(["b", "10", "9", "a", "02", "2"]) == ["02", "2", "9", "10", "a", "b"]


def test_names_that_json_takes_for_something_else() -> None:
    assert Experiment(dataset="own", target_classes=(True, None)).target_classes == ("true", "null")


def test_classes_of_ones_own_are_checked_when_the_data_are_known() -> None:
    own = Experiment(dataset="own.npz", target_classes=("cat", "dog", "cow"))
    assert class_numbers(own.target_classes, ("cow", "horse", "dog", "cat")) == (3, 2, 0)
    assert own.vary(balanced=True).target_images == 600
    with pytest.raises(ValueError, match=r"no class 'cow'.* one of cat, dog"):
        class_numbers(own.target_classes, ("cat", "dog"))
