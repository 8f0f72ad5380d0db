"""From files to a data set: shuffled, with validation and test images set aside, inspected, in the store."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.dataset import FILE_NAMES, DataSet, Group
from tasks.experiment.data.fitting import Frame, Sizing, all_to_fit, made_colour
from tasks.experiment.data.formats.reading import read_data
from tasks.experiment.data.inspection import suspicions
from tasks.experiment.randomness import generator
from tasks.storage.artifacts import Artifact, save
from tasks.storage.roots import is_shared

TEST_PART, VALIDATION_PART = 5, 10  # a fifth, a tenth
SEED = 0  # of the shuffling: the same files give the same data set


def import_data(path: Path, sizing: Sizing = Sizing()) -> DataSet:  # noqa: B008 (frozen)
    """Your own data at `path` as a data set in the store, with notes on what was done and on what looks suspicious.

    The training images are shuffled by a fixed seed, since data are often sorted by class, and are followed by those
    for validation: the given ones, or a tenth of each class. Where there are no test images a fifth of each class is
    set aside for them first.

    Raises UnusableInputError, one sentence, for anything that can't be used.
    """
    return complete(_import(path, sizing))


def import_labels(path: Path, sizing: Sizing) -> DataSet:
    """The same, but nothing is set aside: all images are to be learned from but for given test images.

    There may be no test images then. The images keep their order, and the names of their files, if they are files.
    """
    data = read_data(path, sizing)
    validation, test = data.parts.get("validation"), data.parts.get("test")
    train = data.train.followed_by(validation) if validation else data.train
    test = test or train[np.arange(0)]
    names = {FILE_NAMES: np.array(train.files)} if train.files else {}
    arrays = _store(
        train_images=train.images, train_labels=train.labels, test_images=test.images, test_labels=test.labels, **names
    )
    shape = train.images.shape[1:]
    return complete(
        DataSet(
            classes=data.classes, image_shape=shape, validation_images=0, notes=data.notes, arrays=arrays,
            numbers=data.numbers,
        )
    )  # fmt: skip


def _import(path: Path, sizing: Sizing) -> DataSet:
    """Rows are chosen first and images copied once: they may be most of what the machine's memory holds."""
    data = read_data(path, sizing)
    given, validation, test = data.train, data.parts.get("validation"), data.parts.get("test")
    notes, rows = list(data.notes), np.arange(len(given))
    if test is None:
        rows, aside = set_aside(given.labels, TEST_PART, "test")
        test = given[aside]
        notes.append(
            f"The data had no test images: {len(test):,} of {len(given):,}, a fifth of each class, were set aside."
        )
    if validation is None:
        kept, aside = set_aside(given.labels[rows], VALIDATION_PART, "validation")
        train, validation_images = given[rows[np.concatenate([kept, aside])]], len(aside)
    else:
        train = given[rows[generator(SEED, "data/train").permutation(len(rows))]].followed_by(validation)
        validation_images = len(validation)
        notes.append(f"The {len(validation):,} validation images are those that were given.")
    arrays = _store(
        train_images=train.images, train_labels=train.labels, test_images=test.images, test_labels=test.labels
    )
    return DataSet(
        classes=data.classes, image_shape=train.images.shape[1:], validation_images=validation_images,
        notes=tuple(notes), arrays=arrays, numbers=data.numbers,
    )  # fmt: skip


def fitted(data: DataSet, sizing: Sizing) -> DataSet:
    """The same images in the size and colours that are wanted."""
    height, width = data.image_shape[:2]
    frame = sizing.frame or Frame(height, width, sizing.fit)
    is_colour = len(data.image_shape) == 3
    if (frame.height, frame.width) == (height, width) and sizing.colour in (None, is_colour):
        return data
    train, test = (made_colour(all_to_fit(data.images(group), frame), sizing.colour) for group in get_args(Group))
    arrays = _store(
        train_images=train, train_labels=data.labels("train"), test_images=test, test_labels=data.labels("test")
    )
    return data.model_copy(update={"image_shape": train.shape[1:], "raw": {}, "arrays": arrays})


def complete(data: DataSet) -> DataSet:
    """The data set with notes on what looks suspicious, and with its arrays where other machines can have them."""
    update: dict[str, Any] = {"notes": (*data.notes, *suspicions(data))}
    if is_shared() and not data.arrays:
        arrays = _store(
            train_images=data.images("train"), train_labels=data.labels("train"),
            test_images=data.images("test"), test_labels=data.labels("test"),
        )  # fmt: skip
        update |= {"raw": {}, "arrays": arrays}
    return data.model_copy(update=update)


def set_aside(labels: NDArray[np.int64], part: int, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Shuffled rows in two groups, the second with one in `part` of each class, but at least one."""
    order = generator(SEED, f"data/{name}").permutation(len(labels))
    taken = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        taken[rows[: max(1, round(len(rows) / part))]] = True
    return order[~taken[order]], order[taken[order]]


def _store(**arrays: NDArray[Any]) -> Artifact:
    def write(folder: Path) -> None:
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)

    return save("download", write)
