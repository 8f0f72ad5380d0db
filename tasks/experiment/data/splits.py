"""Cut labelled images into task A and task B. What is kept are row numbers and labels, never copies of images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.errors import UnusableInputError
from tasks.storage.artifacts import Artifact, Handle, save


@dataclass(frozen=True)
class Examples:
    """Labelled images, as rows of an image array: `rows` and `labels` are int32 of shape (n,)."""

    rows: NDArray[np.int32]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rows)


class Target(Handle):
    """What is wanted as task B: its classes by name or number, and how many images of them there are to train on.

    fewest: of these, as many as there must be of each class.
    """

    classes: tuple[int | str, ...]
    samples: int
    balanced: bool
    fewest: int = 0


class Problem(Handle):
    """Task A or task B, as a handle: whose images, which classes, which rows, and what its networks are built from.

    classes: numbers of the data set's classes; of two (negative, positive). examples: what `split` stored; None: a
    trained model takes A's place. start: what `normalize` stored, or the body that `import_A` did.
    """

    data: DataSet
    classes: tuple[int, ...]
    examples: Artifact | None
    start: Artifact

    def is_intact(self) -> bool:
        """Whether the examples are; data and start have records of their own."""
        return self.examples is None or self.examples.is_intact()

    def parts(self) -> dict[str, Examples]:
        """The examples by part: "training", "validation", "test", and of task B "pool", where "training" is from."""
        assert self.examples, "a trained model takes this task's place"
        with np.load(self.examples.folder() / "examples.npz", allow_pickle=False) as arrays:
            parts = sorted(name.removesuffix("_rows") for name in arrays if name.endswith("_rows"))
            return {part: Examples(arrays[f"{part}_rows"], arrays[f"{part}_labels"]) for part in parts}

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.data.names(self.classes)


def cut_target(data: DataSet, start: Artifact, target: Target) -> Problem:
    """Task B: the target's classes, and of their training images the first ones.

    Raises UnusableInputError if there are too few images, or none of some class, or fewer than the target's fewest.
    """
    classes = data.class_numbers(target.classes)
    parts = _parts(data, classes)
    parts["pool"] = parts["training"]
    parts["training"] = first_samples(parts["pool"], target.samples, balanced=target.balanced)
    if len(set(parts["training"].labels.tolist())) < 2:
        raise UnusableInputError(
            f"the first {target.samples} images of task B are all of one class: give more target_samples, or balanced"
        )
    counts = np.bincount(parts["training"].labels, minlength=len(classes)).tolist()
    if (least := min(counts)) < target.fewest:
        raise UnusableInputError(
            f"tuning takes {target.fewest} labelled images of each class, but the first {target.samples} images of "
            f"task B have {least} of {data.names(classes)[counts.index(least)]}: give more target_samples, or balanced"
        )
    return Problem(data=data, classes=classes, examples=save_examples("split_B", parts), start=start)


def cut_source(source: DataSet, start: Artifact, target: Problem) -> Problem:
    """Task A: all classes of `source`; if that is task B's data set too, those that task B does not have.

    Raises UnusableInputError if fewer than two classes are left, or if A's images have another shape than B's.
    """
    data = target.data
    if source.image_shape != data.image_shape:
        raise UnusableInputError(
            f"the images of source_dataset have the shape {source.image_shape}, those of dataset {data.image_shape}: "
            "they must be the same"
        )
    taken = target.classes if source == data else ()
    classes = tuple(number for number in range(len(source.classes)) if number not in taken)
    if len(classes) < 2:
        raise UnusableInputError(
            f"of {len(data.classes)} classes task B has {len(taken)}, but task A needs at least two: give fewer "
            "target_classes, or a source_dataset or source_model"
        )
    examples = save_examples("split_A", _parts(source, classes))
    return Problem(data=source, classes=classes, examples=examples, start=start)


def _parts(data: DataSet, classes: tuple[int, ...]) -> dict[str, Examples]:
    """Training, validation and test examples of the classes; each class must be in each part."""
    train, test = data.labels("train"), data.labels("test")
    training, validation = data.training_and_validation(range(len(train)))
    parts = {
        "training": task_examples(train, classes, training.start, training.stop),
        "validation": task_examples(train, classes, validation.start, validation.stop),
        "test": task_examples(test, classes, 0, len(test)),
    }
    for part, examples in parts.items():
        if missing := sorted(set(range(len(classes))) - set(examples.labels.tolist())):
            names = ", ".join(data.classes[classes[label]] for label in missing)
            raise UnusableInputError(f"there are no {part} images of {names}: add some, or choose other classes")
    return parts


def task_examples(labels: NDArray[Any], classes: tuple[int, ...], start: int, stop: int) -> Examples:
    """Rows start…stop−1 whose label is in `classes`, in order, relabelled 0, 1, … in the order of `classes`.

    labels: class numbers, shape (images,).
    """
    relabelled = np.full(max(int(labels.max(initial=0)), *classes) + 1, -1, np.int32)
    relabelled[list(classes)] = np.arange(len(classes))
    new = relabelled[labels[start:stop]]
    kept = np.flatnonzero(new >= 0)
    return Examples((kept + start).astype(np.int32), new[kept])


def first_samples(examples: Examples, samples: int, *, balanced: bool) -> Examples:
    """The first `samples` examples, or, with `balanced`, the first that many of each class, in order.

    Raises UnusableInputError if there are too few.
    """
    if samples > (available := available_samples(examples, balanced=balanced)):
        each = " of each class" if balanced else ""
        raise UnusableInputError(
            f"target_samples is {samples}, but task B has {available} training images{each}: give {available} at most"
        )
    positions = [np.flatnonzero(examples.labels == label) for label in np.unique(examples.labels)]
    kept = np.sort(np.concatenate([found[:samples] for found in positions])) if balanced else np.arange(samples)
    return Examples(examples.rows[kept], examples.labels[kept])


def available_samples(examples: Examples, *, balanced: bool) -> int:
    """The most samples that `first_samples` can take."""
    of_each = np.unique(examples.labels, return_counts=True)[1].tolist()
    return min(of_each, default=0) if balanced else len(examples)


def shuffled(examples: Examples, rng: np.random.Generator) -> Examples:
    """The examples in random order."""
    order = rng.permutation(len(examples))
    return Examples(examples.rows[order], examples.labels[order])


def save_examples(stage: str, parts: dict[str, Examples]) -> Artifact:
    """Store examples by part; rows of "test" count in the test images, all others in the training images."""
    arrays = {f"{part}_{what}": getattr(parts[part], what) for part in parts for what in ("rows", "labels")}
    return save(stage, lambda folder: np.savez(folder / "examples.npz", **arrays))


@dataclass(frozen=True)
class TrainingData:
    """What one network is trained on.

    images: uint8, (images, *shape of one), of which `training` and `validation` name rows; an array, or a tensor, of
    which several training runs then share one copy. classes: how many there are.
    """

    images: Any
    training: Examples
    validation: Examples
    classes: int
