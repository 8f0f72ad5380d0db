"""report: metrics.json, the report as a page and as Markdown, and the plots."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tasks.experiment.data.inspection import class_counts
from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.models import Models
from tasks.experiment.reports import plots
from tasks.experiment.reports.page import write_pages
from tasks.experiment.reports.sentences import answer, told_apart
from tasks.experiment.results import nights
from tasks.experiment.results.scores import decide
from tasks.experiment.settings import Experiment
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save

CAPTIONS = {
    "pairs": "Test accuracy of each pair",
    "curves": "Learning curves of task B",
    "confusion": "Confusion matrices",
    "disagreements": "Test images on which scratch and transfer disagree",
    "data": "The first training images of each class",
    "history": "Error reduction by night, with its interval; what changed between two nights is marked",
}


@stage()
def report(
    experiment: Experiment, A: Problem, B: Problem, models: Models, scores: Artifact,
    made_with: dict[str, dict[str, str]], earlier: list[nights.Night] | None,
) -> Artifact:  # fmt: skip
    """earlier: the nights to compare with; None: this is no night."""
    folder = scores.folder()
    metrics: dict[str, Any] = {"experiment": experiment.model_dump(mode="json"), **made_with}
    metrics["data"] = describe_data(A, B)
    metrics |= {"mcnemar": None} | json.loads((folder / "scores.json").read_text())
    for i, replicate in enumerate(metrics["replicates"]):
        replicate["weights"] = {name: nights.weights_digest(each[i].folder() / "model.keras") for name, each in models}
    metrics |= {"answer": answer(metrics), "verdict": None}
    tonight_and_before = [*(earlier or []), nights.night(metrics, run="this run", date="now")]
    if earlier is not None:
        metrics["verdict"] = nights.judge(tonight_and_before[-1], earlier).model_dump()
    with np.load(folder / "probabilities.npz", allow_pickle=False) as arrays:
        probabilities = {arm: arrays[arm][0] for arm in ("scratch", "transfer")}
    test = B.parts()["test"]
    right = {arm: decide(p) == test.labels for arm, p in probabilities.items()}
    histories = {
        arm: [json.loads((model.folder() / "history.json").read_text()) for model in getattr(models, name)]
        for arm, name in (("scratch", "B_scratch"), ("transfer", "B_on_A"))
    }
    names = B.class_names

    def write(folder: Path) -> None:
        pictures = folder / "plots"
        pictures.mkdir()
        plots.draw_curves(histories, experiment.frozen_epochs, pictures / "curves.png")
        plots.draw_pairs(metrics["replicates"], pictures / "pairs.png")
        plots.draw_confusions(metrics["replicates"], names, pictures / "confusion.png")
        images = B.data.images("test")[test.rows]
        plots.draw_samples(B.data, pictures / "data.png")
        plots.draw_disagreements(images, test.labels, right, names, pictures / "disagreements.png")
        if earlier is not None:
            plots.draw_nights(tonight_and_before, pictures / "history.png")
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1))
        captions = {name: caption for name, caption in CAPTIONS.items() if (pictures / f"{name}.png").exists()}
        write_pages(folder, "report", captions, metrics=metrics, apart=told_apart(names))

    return save("report", write)


def describe_data(A: Problem, B: Problem) -> dict[str, Any]:
    """What a report tells of the data. source_classes: None if A was not trained here."""
    counts = class_counts(B.data)
    of_A = [class_counts(A.data)[number] for number in A.classes]
    of_B = [counts[number] for number in B.classes]
    images = {
        task: {part: sum(row[part] for row in rows) for part in ("training", "validation", "test")}
        for task, rows in (("A", of_A), ("B", of_B))
    }
    return {
        "image_shape": B.data.image_shape, "classes": counts, "notes": B.data.notes, "images": images,
        "source_classes": [row["class"] for row in of_A] or None, "target_classes": [row["class"] for row in of_B],
    }  # fmt: skip
