"""split: validation is the end of the training images; task A and task B get their rows and labels."""

from pydantic import BaseModel

from tasks.experiment.dataset import DataSet, UnusableInputError
from tasks.experiment.splits import Examples, first_samples, save_task, task_examples
from tasks.experiment.store import Artifact
from tasks.stage import stage


class Splits(BaseModel):
    """Two handles, so that a change of task B leaves what was trained on task A as it is."""

    source: Artifact
    target: Artifact


@stage()
def split(data: DataSet, target_classes: tuple[int, ...], target_samples: int, balanced: bool) -> Splits:
    others = tuple(number for number in range(len(data.classes)) if number not in target_classes)
    if len(others) < 2:
        raise UnusableInputError(
            f"of {len(data.classes)} classes task B has {len(target_classes)}: task A needs two of the others at least"
        )
    source, target = _parts(data, others), _parts(data, tuple(target_classes))
    target["pool"] = target["train"]
    target["train"] = first_samples(target["pool"], target_samples, balanced=balanced)
    if len(set(target["train"].labels.tolist())) < 2:
        raise UnusableInputError(
            f"the first {target_samples} images of task B are all of one class: give more target_samples, or balanced"
        )
    return Splits(source=save_task("split_A", source), target=save_task("split_B", target))


def _parts(data: DataSet, classes: tuple[int, ...]) -> dict[str, Examples]:
    """Training, validation and test examples of the classes; each class must be in each part."""
    train, test = data.labels("train"), data.labels("test")
    cut = len(train) - data.validation_images
    parts = {
        "train": task_examples(train, classes, 0, cut),
        "valid": task_examples(train, classes, cut, len(train)),
        "test": task_examples(test, classes, 0, len(test)),
    }
    for part, examples in parts.items():
        if missing := sorted(set(range(len(classes))) - set(examples.labels.tolist())):
            names = ", ".join(data.classes[classes[label]] for label in missing)
            raise UnusableInputError(f"the data set has no {part} images of {names}")
    return parts
