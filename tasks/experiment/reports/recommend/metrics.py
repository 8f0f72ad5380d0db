"""What a recommendation's metrics.json holds."""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np

from tasks.experiment.data.splits import Problem
from tasks.experiment.recommend.answers import Candidate, Choice
from tasks.experiment.recommend.curve import Curve


class LabelledData(TypedDict):
    """classes: one row per class: its name, its number of labels and of test images. notes: a sentence each."""

    image_shape: Sequence[int]
    classes: list[dict[str, Any]]
    notes: Sequence[str]
    target_classes: list[str]


class RecommendationMetrics(TypedDict):
    """experiment: the question's settings, and the seed. test: the recommended model's scores; None: no test images."""

    experiment: dict[str, Any]
    environment: dict[str, str]
    code: dict[str, str]
    data: LabelledData
    answer: str
    choice: Choice
    curve: Curve
    test: dict[str, Any] | None
    table: list[dict[str, object]]


def describe_labels(B: Problem, folds: int, wanted: int) -> LabelledData:
    """wanted: how many folds there would have been if each class had enough images."""
    parts, names = B.parts(), list(B.class_names)
    labels = np.bincount(parts["training"].labels, minlength=len(names)).tolist()
    tests = np.bincount(parts["test"].labels, minlength=len(names)).tolist() if "test" in parts else [0] * len(names)
    rows = [{"class": n, "labels": a, "test": b} for n, a, b in zip(names, labels, tests, strict=True)]
    notes = list(B.data.notes)
    if folds < wanted:
        few = min(rows, key=lambda row: row["labels"])
        notes.append(
            f"{few['class']} has {few['labels']} labelled images: there are {folds} folds instead of {wanted}."
        )
    return LabelledData(image_shape=B.data.image_shape, classes=rows, notes=notes, target_classes=names)


def table_of_candidates(candidates: list[Candidate]) -> list[dict[str, object]]:
    """One row per method, by column."""
    return [
        {
            "method": each["name"],
            "accuracy in %": 100 * (each["accuracy"]["estimate"] or 0),
            "below the best in points": each["below_best"],
            "p": each["p"],
            "weights": each["weights"],
            "repetitions": each["repetitions"],
        }
        for each in candidates
    ]
