"""split: validation is the end of the training images; task A and task B get their rows and labels."""

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import Examples, Splits, first_samples, save_task, task_examples
from tasks.experiment.errors import UnusableInputError
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact


@stage()
def split(
    data: DataSet, source: DataSet | None, target_classes: tuple[int, ...], target_samples: int, balanced: bool
) -> Splits:
    """Task A has all classes of `source`; if that is `data` itself, those that task B has not."""
    target = _parts(data, tuple(target_classes))
    target["pool"] = target["train"]
    target["train"] = first_samples(target["pool"], target_samples, balanced=balanced)
    if len(set(target["train"].labels.tolist())) < 2:
        raise UnusableInputError(
            f"the first {target_samples} images of task B are all of one class: give more target_samples, or balanced"
        )
    kept = save_task("split_B", target)
    return Splits(source=_split_A(data, source, target_classes) if source else None, target=kept)


def _split_A(data: DataSet, source: DataSet, target_classes: tuple[int, ...]) -> Artifact:
    if source.image_shape != data.image_shape:
        raise UnusableInputError(
            f"the images of source_dataset have the shape {source.image_shape}, those of dataset {data.image_shape}: "
            "they must be the same"
        )
    taken = target_classes if source == data else ()
    classes = tuple(number for number in range(len(source.classes)) if number not in taken)
    if len(classes) < 2:
        raise UnusableInputError(
            f"of {len(data.classes)} classes task B has {len(taken)}, but task A needs two at least: give fewer "
            "target_classes, or a source_dataset or source_model"
        )
    return save_task("split_A", _parts(source, classes))


def _parts(data: DataSet, classes: tuple[int, ...]) -> dict[str, Examples]:
    """Training, validation and test examples of the classes; each class must be in each part."""
    train, test = data.labels("train"), data.labels("test")
    training, validation = data.training_and_validation(range(len(train)))
    parts = {
        "train": task_examples(train, classes, training.start, training.stop),
        "valid": task_examples(train, classes, validation.start, validation.stop),
        "test": task_examples(test, classes, 0, len(test)),
    }
    for part, examples in parts.items():
        if missing := sorted(set(range(len(classes))) - set(examples.labels.tolist())):
            names = ", ".join(data.classes[classes[label]] for label in missing)
            raise UnusableInputError(f"the data set has no {part} images of {names}")
    return parts
