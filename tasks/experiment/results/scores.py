"""How good one model's answers on task B's test images are.

Probabilities are float32: of the positive class, shape (images,), if there are two classes, else (images, classes).
"""

from math import isfinite
from typing import Any, NotRequired, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.networks.bodies.cutting import is_nested
from tasks.experiment.networks.bodies.inference import outputs

Probabilities = NDArray[np.float32]
Labels = NDArray[np.int32]  # class numbers, shape (images,)
BYTES_AT_ONCE = 1 << 26  # of images as float32, the most that a model should have to hold at a time


def predict(model: Any, images: NDArray[np.uint8]) -> Probabilities:
    """The model's probabilities. (Called without training=False, layers that augment images would do so.)"""
    if any(map(is_nested, model.layers)):
        answers = outputs(model, images)
    else:
        batch = max(1, BYTES_AT_ONCE // (4 * images[0].size))
        parts = (images[i : i + batch] for i in range(0, len(images), batch))
        answers = np.concatenate([np.asarray(model(part, training=False)) for part in parts])
    return answers[:, 0] if answers.shape[1] == 1 else answers


def decide(probabilities: Probabilities) -> Labels:
    """The answered class, shape (images,). A diverged network (NaN) answers the first one."""
    if probabilities.ndim == 1:
        return (probabilities > 0.5).astype(np.int32)
    return np.argmax(np.nan_to_num(probabilities), axis=1).astype(np.int32)


class Scores(TypedDict):
    """What `score` gives, as far as the program relies on it; METRICS may have more."""

    accuracy: float
    loss: float | None
    confusion: NotRequired[list[list[int]]]  # see `confusion_matrix`; a study's rows have none


def score(probabilities: Probabilities, labels: Labels) -> Scores:
    """All METRICS by name; None where one is not finite, as the loss of a diverged network."""
    values = {name: metric(probabilities, labels) for name, metric in METRICS.items()}
    return cast(Scores, {name: value if isfinite(value) else None for name, value in values.items()})


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    return float(np.mean(decide(probabilities) == labels))


def cross_entropy(probabilities: Probabilities, labels: Labels) -> float:
    """The mean over images, in nats."""
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    probability_of_truth = np.where(labels == 1, p, 1 - p) if p.ndim == 1 else p[np.arange(len(labels)), labels]
    return float(-np.mean(np.log(probability_of_truth)))


METRICS = {"accuracy": accuracy, "loss": cross_entropy}  # Another metric is another line.


def confusion_matrix(probabilities: Probabilities, labels: Labels) -> list[list[int]]:
    """Numbers of images, [true class][answered class]."""
    answers = decide(probabilities)
    classes = range(2 if probabilities.ndim == 1 else probabilities.shape[1])
    return [[int(np.sum((labels == t) & (answers == a))) for a in classes] for t in classes]
