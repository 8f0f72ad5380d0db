"""From data of one's own to a data set: checked, shuffled, with its own validation and test images, in the store."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.formats.image_folder import MAX_SIDE
from tasks.experiment.data.formats.reading import MAX_CLASSES, OwnData, read_own_data
from tasks.experiment.data.inspection import suspicions
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.randomness import generator
from tasks.storage.artifacts import Artifact, save

TEST_PART, VALIDATION_PART = 5, 10  # a fifth, a tenth
SEED = 0  # of the shuffling: the same files give the same data set


def import_data(path: Path) -> DataSet:
    """The data at `path` as a data set in the store.

    The training images are shuffled by a fixed seed, since data are often sorted by class, and end with a tenth of each
    class for validation. Where there are no test images a fifth of each class is set aside for them first.

    Raises UnusableInputError, one sentence, for anything that can't be used.
    """
    data = read_own_data(path)
    _refuse_unusable(data, path)
    train, test, notes = data.train, data.test, []
    if test is None:
        kept, aside = set_aside(train.labels, TEST_PART, "test")
        train, test = train[kept], train[aside]
        notes.append(
            f"The data had no test images: {len(test):,} of {len(data.train):,}, a fifth of each class, were set aside."
        )
    kept, validation = set_aside(train.labels, VALIDATION_PART, "validation")
    train = train[np.concatenate([kept, validation])]
    arrays = _store(
        train_images=train.images, train_labels=train.labels, test_images=test.images, test_labels=test.labels
    )
    imported = DataSet(
        classes=data.classes, image_shape=train.images.shape[1:], validation_images=len(validation), arrays=arrays
    )
    return imported.model_copy(update={"notes": (*notes, *suspicions(imported))})


def keep_arrays(data: DataSet) -> DataSet:
    """The data set with its arrays in the store, where other machines can have them."""
    if data.arrays:
        return data
    arrays = _store(
        train_images=data.images("train"), train_labels=data.labels("train"),
        test_images=data.images("test"), test_labels=data.labels("test"),
    )  # fmt: skip
    return data.model_copy(update={"raw": {}, "arrays": arrays})


def _store(**arrays: NDArray[Any]) -> Artifact:
    def write(folder: Path) -> None:
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)

    return save("download", write)


def set_aside(labels: NDArray[np.int64], part: int, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Shuffled rows in two groups, the second with one in `part` of each class, but at least one."""
    order = generator(SEED, f"data/{name}").permutation(len(labels))
    taken = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        taken[rows[: max(1, round(len(rows) / part))]] = True
    return order[~taken[order]], order[taken[order]]


def _refuse_unusable(data: OwnData, path: Path) -> None:
    """Refuse data with which no experiment can be made."""
    height, width = data.train.images.shape[1:3]
    if max(height, width) > MAX_SIDE:
        raise UnusableInputError(
            f"{path} has images of {width} × {height} pixels; the limit is {MAX_SIDE} × {MAX_SIDE}: make them smaller"
        )
    if len(data.classes) > MAX_CLASSES:
        raise UnusableInputError(f"{path} has {len(data.classes):,} classes; the limit is {MAX_CLASSES:,}")
    if len(data.classes) < 2:
        raise UnusableInputError(f"{path} has one class only ({data.classes[0]}): there is nothing to tell apart")
    lowered = [name.lower() for name in data.classes]
    if len(set(lowered)) < len(lowered):
        twice = next(name for name in lowered if lowered.count(name) > 1)
        raise UnusableInputError(f"{path} has two classes with the name {twice!r} (capitals aside): rename one")
    if data.test and data.test.images.shape[1:] != data.train.images.shape[1:]:
        raise UnusableInputError(
            f"the training images of {path} have the shape {data.train.images.shape[1:]} and its test images "
            f"{data.test.images.shape[1:]}: they must be the same"
        )
    counts = np.bincount(data.train.labels, minlength=len(data.classes))
    if data.test and (unseen := np.setdiff1d(data.test.labels, data.train.labels)).size:
        names = ", ".join(data.classes[label] for label in unseen)
        raise UnusableInputError(f"{path} has test images of classes without training images: {names}")
    needed = 2 if data.test else 3  # one to train on, one for validation, one to test
    if few := [name for name, count in zip(data.classes, counts, strict=True) if count < needed]:
        raise UnusableInputError(f"{path} has fewer than {needed} training images of {', '.join(few)}")
