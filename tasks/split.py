"""split: validation is the end of the training images; task A and task B get their rows and labels."""

from tasks.experiment import dataset
from tasks.experiment.recipe import CLASS_NAMES
from tasks.experiment.splits import Splits, first_samples, save_task, task_examples
from tasks.stage import stage


@stage()
def split(data: dataset.DataSet, target_classes: tuple[int, int], target_samples: int, balanced: bool) -> Splits:
    train, test = dataset.read_labels("train"), dataset.read_labels("t10k")
    cut = len(train) - dataset.VALIDATION_IMAGES
    others = tuple(number for number in range(len(CLASS_NAMES)) if number not in target_classes)

    def parts(classes: tuple[int, ...]) -> dict:
        return {
            "train": task_examples(train, classes, 0, cut),
            "valid": task_examples(train, classes, cut, len(train)),
            "test": task_examples(test, classes, 0, len(test)),
        }

    source, target = parts(others), parts(tuple(target_classes))
    target["pool"] = target["train"]
    target["train"] = first_samples(target["pool"], target_samples, balanced=balanced)
    return Splits(source=save_task("split_A", source), target=save_task("split_B", target))
