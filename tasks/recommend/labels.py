"""collect, draw_labels: all labelled images there are, and those that the question is about."""

import numpy as np
from prefect.logging import get_run_logger

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats.files import given_path
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.ingestion import import_labels
from tasks.experiment.data.pixels import Pixels, save_pixels
from tasks.experiment.data.splits import Examples, Problem, save_examples, shuffled, task_examples
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.randomness import generator
from tasks.orchestration.stage import stage
from tasks.storage.files import printable

MOST = 10_000  # labelled images: all that is done here takes a time that grows with them


@stage()
def collect(dataset: str, content: str, sizing: Sizing) -> DataSet:
    """Your own data with nothing set aside. content: a hash of them, so that changed data are never stale."""
    path = given_path(dataset)
    data = import_labels(path, sizing)
    if fingerprint(path) != content:
        raise UnusableInputError(f"{dataset} changed while it was read: run again")
    get_run_logger().info(
        "%s: %d classes, images of the shape %s", printable(dataset), len(data.classes), data.image_shape
    )
    return data


@stage(run_name="draw_labels seed {seed}")
def draw_labels(data: DataSet, classes: tuple[int | str, ...], labels: int | None, seed: int) -> Problem:
    """So many labelled images of these classes, in random order, and all test images, if there are any.

    classes: empty: all; labels: None: all. What networks from scratch start from are the mean and the deviation of all
    pixels together: those of each pixel say little where there are few images.

    Raises UnusableInputError if there are fewer, or a class has fewer than two, or there are too many for this flow.
    """
    numbers = data.class_numbers(classes) or tuple(range(len(data.classes)))
    if len(numbers) < 2:
        raise UnusableInputError(f"classes is {data.classes[numbers[0]]} alone: there is nothing to tell apart")
    every = data.labels("train")
    pool = shuffled(task_examples(every, numbers, 0, len(every)), generator(seed, "labels"))
    wanted = labels or len(pool)
    if wanted > len(pool):
        raise UnusableInputError(f"labels is {wanted}, but there are {len(pool):,} labelled images: give no more")
    if wanted > MOST:
        raise UnusableInputError(
            f"there are {len(pool):,} labelled images, and a recommendation is for few: give labels, {MOST:,} at most"
        )
    chosen = Examples(pool.rows[:wanted], pool.labels[:wanted])
    counts = np.bincount(chosen.labels, minlength=len(numbers)).tolist()
    if (least := min(counts)) < 2:
        name = data.names(numbers)[counts.index(least)]
        few = "no labelled image" if least == 0 else "only one labelled image"
        raise UnusableInputError(f"of {name} there is {few}, and it takes two: add some, or leave the class out")
    parts = {"training": chosen}
    tests = data.labels("test")
    if len(test := task_examples(tests, numbers, 0, len(tests))):
        parts["test"] = test
    images = data.images("train")[chosen.rows]
    deviation = float(images.std()) or 1.0
    start = save_pixels(Pixels(*(np.full(data.image_shape, value, np.float32) for value in (images.mean(), deviation))))
    return Problem(data=data, classes=numbers, examples=save_examples("draw_labels", parts), start=start)
