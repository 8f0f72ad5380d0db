"""What a reader should know of an answer that rests on little."""

from collections.abc import Sequence
from typing import Any, TypedDict

from tasks.experiment.data.inspection import IMBALANCED
from tasks.experiment.reports.phrases import SCORES
from tasks.experiment.results.pairs import Replicate, errors
from tasks.experiment.results.statistics.basics import accuracy_interval
from tasks.experiment.scores import Metric, always

FEW = 100  # test images: with fewer an accuracy is not known to ± 10 points
NO_BETTER = 0.01  # than naming one class always: then nothing was learned

# What naming the commonest class of the test images always comes to: that class, and each Metric.
Baseline = TypedDict("Baseline", {"class": str, "accuracy": float, "balanced_accuracy": float, "roc_auc": float})


def baseline(classes: Sequence[dict[str, Any]]) -> Baseline:
    """classes: task B's, each with its name and number of test images."""
    counts = {row["class"]: row["test"] for row in classes}
    commonest = max(counts, key=lambda name: counts[name])
    return {"class": commonest, **always(counts[commonest] / sum(counts.values()), len(counts))}  # type: ignore[typeddict-item]


def cautions(classes: Sequence[dict[str, Any]], replicates: list[Replicate], metric: Metric = "accuracy") -> list[str]:
    """A sentence each. classes: task B's, each with its name and number of test images."""
    counts, least = [row["test"] for row in classes], baseline(classes)
    images = sum(counts)
    scratch, transfer = (1 - error.mean() for error in errors(replicates, metric))
    said = []
    if images < FEW:
        half = 100 * (accuracy_interval(0.5, images)["high"] or 1) - 50
        said.append(
            f"There are only {images} test images: each is {100 / images:.1f} points of accuracy, which so few show to "
            f"± {half:.0f} points at best."
        )
    if max(scratch, transfer) <= least[metric] + NO_BETTER:
        said.append(
            f"Neither network learned the task: {_reached(scratch, transfer, least, metric)}; try another "
            "learning_rate, more target_epochs or more target_samples."
        )
    elif metric == "accuracy" and max(counts) >= IMBALANCED * min(counts):
        said.append(
            f"The classes are imbalanced: naming {least['class']} always would be right on "
            f"{100 * least['accuracy']:.1f} %. The report has the balanced accuracy and the ROC AUC; set metric to "
            "judge by one of them."
        )
    return said


def _reached(scratch: float, transfer: float, least: Baseline, metric: Metric) -> str:
    if metric == "accuracy":
        return (
            f"scratch is right on {100 * scratch:.1f} % and transfer on {100 * transfer:.1f} %, and naming "
            f"{least['class']} always would be on {100 * least['accuracy']:.1f} %"
        )
    return (
        f"scratch has a {SCORES[metric]} of {100 * scratch:.1f} % and transfer of {100 * transfer:.1f} %, and naming "
        f"one class always has {100 * least[metric]:.1f} %"
    )
