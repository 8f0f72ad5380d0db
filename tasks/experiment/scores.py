"""How good one model's answers are: on task B's test images, or on those that choose a recipe.

Probabilities are float32: of the positive class, shape (images,), if there are two classes, else (images, classes).
"""

from collections.abc import Callable
from math import isfinite, nan
from typing import Literal, NotRequired, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]
Labels = NDArray[np.int32]  # class numbers, shape (images,)
Metric = Literal["accuracy", "balanced_accuracy", "roc_auc"]  # what an error may be taken from: 1 − the metric


def decide(probabilities: Probabilities) -> Labels:
    """The answered class, shape (images,). A diverged network (NaN) answers the first one."""
    if probabilities.ndim == 1:
        return (probabilities > 0.5).astype(np.int32)
    return np.argmax(np.nan_to_num(probabilities), axis=1).astype(np.int32)


class Scores(TypedDict):
    """What `score` gives, as far as the program relies on it; METRICS may have more."""

    accuracy: float
    balanced_accuracy: float
    roc_auc: float
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


def balanced_accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """The mean of the classes' recalls: each class counts alike, however many images it has."""
    from sklearn.metrics import recall_score

    return float(recall_score(labels, decide(probabilities), labels=np.unique(labels), average="macro"))


def roc_auc(probabilities: Probabilities, labels: Labels) -> float:
    """How often an image of a class is given a higher probability of it than one of another class; ties count half.

    Of more than two classes it is the mean over classes, each against the rest. NaN where there is but one class.
    """
    from sklearn.metrics import roc_auc_score

    known, classes = np.nan_to_num(probabilities), np.unique(labels)  # a diverged network (NaN) ranks nothing: 0.5
    if len(classes) < 2:
        return nan
    if known.ndim == 1:
        return float(roc_auc_score(labels, known))
    return float(np.mean([roc_auc_score(labels == label, known[:, label]) for label in classes]))


# Another metric is another line; one that may be experiment.metric is named in Metric too.
METRICS: dict[str, Callable[[Probabilities, Labels], float]] = {
    "accuracy": accuracy, "balanced_accuracy": balanced_accuracy, "roc_auc": roc_auc, "loss": cross_entropy,
}  # fmt: skip


def error_by(metric: Metric, probabilities: Probabilities, labels: Labels) -> float:
    """1 − the metric."""
    if metric == "roc_auc":
        return 1 - roc_auc(probabilities, labels)
    return float(image_errors(metric, probabilities, labels).mean())


def image_errors(
    metric: Literal["accuracy", "balanced_accuracy"], probabilities: Probabilities, labels: Labels
) -> NDArray[np.bool_] | NDArray[np.float64]:
    """How wrong the answer on each image is, shape (images,), so that their mean is the error.

    By balanced accuracy a wrong answer counts the more the rarer its class is. (ROC AUC is of pairs of images.)
    """
    wrong: NDArray[np.bool_] = decide(probabilities) != labels
    if metric == "accuracy":
        return wrong
    classes, counts = np.unique(labels, return_counts=True)
    return wrong * (len(labels) / len(classes) / counts)[np.searchsorted(classes, labels)]


def always(share: float, classes: int) -> dict[Metric, float]:
    """By each metric, what naming the commonest class always comes to. share: of the images that are of that class."""
    return {"accuracy": share, "balanced_accuracy": 1 / classes, "roc_auc": 0.5}


def confusion_matrix(probabilities: Probabilities, labels: Labels) -> list[list[int]]:
    """Numbers of images, [true class][answered class]."""
    answers = decide(probabilities)
    classes = range(2 if probabilities.ndim == 1 else probabilities.shape[1])
    return [[int(np.sum((labels == t) & (answers == a))) for a in classes] for t in classes]
