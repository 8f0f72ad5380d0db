"""Cut labels into task A and task B. What is kept are indices and labels, never copies of images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tasks.experiment.errors import UnusableInputError
from tasks.storage.artifacts import Artifact, save


@dataclass(frozen=True)
class Examples:
    """Labelled images, as rows of an image array: `rows` and `labels` are int32 of shape (n,)."""

    rows: NDArray[np.int32]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rows)


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

    Raises UnusableInputError if there are not so many.
    """
    positions = [np.flatnonzero(examples.labels == label) for label in np.unique(examples.labels)]
    available = min((len(found) for found in positions), default=0) if balanced else len(examples)
    if samples > available:
        each = " of each class" if balanced else ""
        raise UnusableInputError(
            f"target_samples is {samples}, but task B has {available} training images{each}: give {available} at most"
        )
    kept = np.sort(np.concatenate([found[:samples] for found in positions])) if balanced else np.arange(samples)
    return Examples(examples.rows[kept], examples.labels[kept])


def shuffled(examples: Examples, rng: np.random.Generator) -> Examples:
    """The examples in random order."""
    order = rng.permutation(len(examples))
    return Examples(examples.rows[order], examples.labels[order])


class Splits(BaseModel):
    """Two handles, so that a change of task B leaves what was trained on task A as it is. source: None without A."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    source: Artifact | None
    target: Artifact

    def is_intact(self) -> bool:
        return all(examples.is_intact() for examples in (self.source, self.target) if examples)


def save_task(stage: str, parts: dict[str, Examples]) -> Artifact:
    """Store a task's examples by part; rows of "test" count in the test images, all others in the training images."""
    arrays = {f"{part}_{what}": getattr(parts[part], what) for part in parts for what in ("rows", "labels")}
    return save(stage, lambda folder: np.savez(folder / "examples.npz", **arrays))


def load_task(artifact: Artifact) -> dict[str, Examples]:
    """The task's examples by part: "train", "valid", "test", and for task B "pool", from which "train" was taken."""
    with np.load(artifact.folder() / "examples.npz", allow_pickle=False) as arrays:
        parts = {name.removesuffix("_rows") for name in arrays if name.endswith("_rows")}
        return {part: Examples(arrays[f"{part}_rows"], arrays[f"{part}_labels"]) for part in sorted(parts)}


def class_count(parts: dict[str, Examples]) -> int:
    """How many classes the task has: each of them is among the test images."""
    return int(parts["test"].labels.max()) + 1
