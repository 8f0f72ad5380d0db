"""report: metrics.json, the report as a page and as Markdown, and the plots."""

import json
import platform
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from tasks.cache import library_version
from tasks.experiment import plots
from tasks.experiment.card import model_card
from tasks.experiment.dataset import DataSet
from tasks.experiment.look import class_counts
from tasks.experiment.page import write_pages
from tasks.experiment.recipe import Experiment
from tasks.experiment.scores import decide
from tasks.experiment.sentences import answer, told_apart
from tasks.experiment.splits import load_task
from tasks.experiment.store import Artifact, artifacts_root, copy_files, save
from tasks.stage import stage

LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "matplotlib", "prefect")
CAPTIONS = {
    "pairs": "Test accuracy of each pair",
    "curves": "Learning curves of task B",
    "confusion": "Confusion matrices",
    "disagreements": "Test images on which scratch and transfer disagree",
    "data": "The first training images of each class",
}


@stage()
def report(
    data: DataSet, source: DataSet | None, experiment: Experiment, target: Artifact, scores: Artifact,
    scratch: list[Artifact], transfer: list[Artifact],
) -> Artifact:  # fmt: skip
    folder = scores.folder()
    metrics: dict[str, Any] = {"experiment": experiment.model_dump(mode="json"), "environment": environment()}
    numbers = experiment.target_numbers(data.classes)
    metrics["data"] = describe_data(data, source, numbers)
    metrics |= {"mcnemar": None} | json.loads((folder / "scores.json").read_text())
    metrics["answer"] = answer(metrics)
    with np.load(folder / "probabilities.npz", allow_pickle=False) as arrays:
        probabilities = {arm: arrays[arm][0] for arm in ("scratch", "transfer")}
    test = load_task(target)["test"]
    right = {arm: decide(p) == test.labels for arm, p in probabilities.items()}
    histories = {
        arm: [json.loads((model.folder() / "history.json").read_text()) for model in models]
        for arm, models in (("scratch", scratch), ("transfer", transfer))
    }
    names = data.names(numbers)

    def write(folder: Path) -> None:
        pictures = folder / "plots"
        pictures.mkdir()
        plots.draw_curves(histories, experiment.frozen_epochs, pictures / "curves.png")
        plots.draw_pairs(metrics["replicates"], pictures / "pairs.png")
        plots.draw_confusions(metrics["replicates"], names, pictures / "confusion.png")
        images = data.images("test")[test.rows]
        plots.draw_samples(data, pictures / "data.png")
        plots.draw_disagreements(images, test.labels, right, names, pictures / "disagreements.png")
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1))
        write_pages(folder, "report", metrics=metrics, apart=told_apart(names), captions=CAPTIONS)

    return save("report", write)


def describe_data(data: DataSet, source: DataSet | None, numbers: tuple[int, ...]) -> dict[str, Any]:
    """What a report tells of the data; numbers: task B's classes. source_classes: None if A was not trained here."""
    counts = class_counts(data)
    of_A = [row for number, row in enumerate(counts) if number not in numbers] if source == data else []
    of_A = class_counts(source) if source and source != data else of_A
    of_B = [counts[number] for number in numbers]
    images = {
        task: {part: sum(row[part] for row in rows) for part in ("training", "validation", "test")}
        for task, rows in (("A", of_A), ("B", of_B))
    }
    return {
        "image_shape": data.image_shape, "classes": counts, "notes": data.notes, "images": images,
        "source_classes": [row["class"] for row in of_A] or None, "target_classes": [row["class"] for row in of_B],
    }  # fmt: skip


def environment() -> dict[str, str]:
    """What a result may depend on beside code and settings: Python, the machine, the libraries' versions."""
    versions = {name: library_version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


def publish(name: str, written: Artifact, models: dict[str, Path], prefix: str = "") -> Path:
    """Make runs/<name> from the store, whole or not at all, point `latest` at it, and show it in the UI.

    models: files to copy, by name. prefix: of the keys under which the UI keeps the history of reports and metrics.
    """
    runs = artifacts_root() / "runs"
    new = runs / f".new-{name}"
    shutil.rmtree(new, ignore_errors=True)  # what a killed run left
    copy_files(written, new)
    (new / "models").mkdir(exist_ok=True)
    metrics = json.loads((new / "metrics.json").read_text())
    for model, file in models.items():
        shutil.copyfile(file, new / "models" / f"{model}.keras")
        history = file.with_name("history.json")
        last_epoch = json.loads(history.read_text())[-1] if history.exists() else None
        (new / "models" / f"{model}.md").write_text(model_card(model, metrics, last_epoch))
    in_ui = (new / "ui.md").read_text()
    (new / "ui.md").unlink()
    if (runs / name).exists():  # the same run, tried again
        shutil.rmtree(runs / name)
    new.rename(runs / name)
    link = artifacts_root() / f".latest-{name}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("runs") / name)
    link.replace(artifacts_root() / "latest")
    create_markdown_artifact(in_ui, key=f"{prefix}report", description=metrics["answer"])
    create_table_artifact(
        [
            {"seed": r["seed"], "scratch": r["scratch"]["accuracy"], "transfer": r["transfer"]["accuracy"],
             "error reduction in %": r["error_reduction"]}
            for r in metrics["replicates"]
        ],
        key=f"{prefix}metrics",
        description="Test accuracy on task B, and error reduction, of each pair",
    )  # fmt: skip
    return runs / name
