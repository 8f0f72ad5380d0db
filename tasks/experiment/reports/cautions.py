"""What a reader should know of an answer that rests on little."""

from collections.abc import Sequence
from typing import Any

from tasks.experiment.results.pairs import Replicate, errors
from tasks.experiment.results.statistics.basics import accuracy_interval

FEW = 100  # test images: with fewer an accuracy is not known to ± 10 points
NO_BETTER = 0.01  # than naming one class always: then nothing was learned


def cautions(classes: Sequence[dict[str, Any]], replicates: list[Replicate]) -> list[str]:
    """A sentence each. classes: task B's, each with its name and number of test images."""
    counts = {row["class"]: row["test"] for row in classes}
    images, commonest = sum(counts.values()), max(counts, key=lambda name: counts[name])
    scratch, transfer = (1 - error.mean() for error in errors(replicates))
    said = []
    if images < FEW:
        half = 100 * (accuracy_interval(0.5, images)["high"] or 1) - 50
        said.append(
            f"There are only {images} test images: each is {100 / images:.1f} points of accuracy, which so few show to "
            f"± {half:.0f} points at best."
        )
    if max(scratch, transfer) <= (share := counts[commonest] / images) + NO_BETTER:
        said.append(
            f"Neither network learned the task: scratch is right on {100 * scratch:.1f} % and transfer on "
            f"{100 * transfer:.1f} %, and naming {commonest} always would be on {100 * share:.1f} %; try another "
            "learning_rate, more target_epochs or more target_samples."
        )
    return said
