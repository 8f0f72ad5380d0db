import pytest
from pydantic import ValidationError

from tasks.experiment.recipe import Experiment, class_id


def test_defaults_are_the_notebooks() -> None:
    experiment = Experiment()
    assert experiment.target_class_ids == (0, 2)
    assert experiment.transfer_training.frozen_epochs == 4
    assert experiment.scratch_training.epochs == experiment.transfer_training.epochs == 20


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
    assert class_id("pullover") == class_id(2) == class_id("2") == 2
