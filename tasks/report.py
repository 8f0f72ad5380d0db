"""report: metrics.json, the report as a page and as Markdown, and the plots."""

import json
import os
import platform
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.logging import get_run_logger

from tasks.cache import library_version
from tasks.experiment import dataset, plots
from tasks.experiment.locks import temporary_folder
from tasks.experiment.page import write_pages
from tasks.experiment.recipe import CLASS_NAMES, Experiment
from tasks.experiment.sentences import answer
from tasks.experiment.splits import load_task
from tasks.experiment.store import Artifact, artifacts_root, copy_files, save
from tasks.progress import shown_at_most
from tasks.stage import stage

LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "matplotlib", "prefect")
CAPTIONS = {
    "pairs": "Test accuracy of each pair",
    "curves": "Learning curves of task B",
    "confusion": "Confusion matrices",
    "disagreements": "Test images on which scratch and transfer disagree",
}


@stage()
def report(
    data: dataset.DataSet, experiment: Experiment, target: Artifact, scores: Artifact,
    scratch: list[Artifact], transfer: list[Artifact],
) -> Artifact:  # fmt: skip
    folder = scores.folder()
    metrics: dict[str, Any] = {"experiment": experiment.model_dump(mode="json"), "environment": environment()}
    metrics |= {"mcnemar": None} | json.loads((folder / "scores.json").read_text())
    metrics["answer"] = answer(metrics)
    with np.load(folder / "probabilities.npz", allow_pickle=False) as arrays:
        probabilities = {arm: arrays[arm][0] for arm in ("scratch", "transfer")}
    test = load_task(target)["test"]
    right = {arm: (p > 0.5) == test.labels for arm, p in probabilities.items()}
    histories = {
        arm: [json.loads((model.folder() / "history.json").read_text()) for model in models]
        for arm, models in (("scratch", scratch), ("transfer", transfer))
    }
    negative, positive = experiment.target_class_ids
    names = CLASS_NAMES[negative], CLASS_NAMES[positive]

    def write(folder: Path) -> None:
        pictures = folder / "plots"
        pictures.mkdir()
        plots.draw_curves(histories, experiment.frozen_epochs, pictures / "curves.png")
        plots.draw_pairs(metrics["replicates"], pictures / "pairs.png")
        plots.draw_confusions(metrics["replicates"], names, pictures / "confusion.png")
        images = dataset.read_images("t10k")[test.rows]
        plots.draw_disagreements(images, test.labels, right, names, pictures / "disagreements.png")
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1))
        write_pages(folder, "report", metrics=metrics, names=names, captions=CAPTIONS)

    return save("report", write)


def environment() -> dict[str, str]:
    """What a result may depend on beside code and settings: Python, the machine, the libraries' versions."""
    versions = {name: library_version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


def publish(name: str, written: Artifact, models: dict[str, Path], prefix: str = "") -> Path:
    """Make runs/<name> from the store, whole or not at all, point `latest` at it, and show it in the UI.

    models: files to copy, by name. prefix: of the keys under which the UI keeps the history of reports and metrics.
    """
    root = artifacts_root()
    folder = root / "runs" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(root) as temporary:
        new, link = temporary / "run", temporary / "latest"
        copy_files(written, new)
        (new / "models").mkdir(exist_ok=True)
        for model, file in models.items():
            shutil.copyfile(file, new / "models" / f"{model}.keras")
        in_ui = (new / "ui.md").read_text()
        (new / "ui.md").unlink()
        metrics = json.loads((new / "metrics.json").read_text())
        if folder.exists():  # the same run, tried again
            folder.rename(temporary / "earlier")
        new.rename(folder)
        latest = root / "latest"
        if os.path.lexists(latest) and not latest.is_symlink():
            get_run_logger().warning("%s is not a link, and was left alone: this run is in %s", latest, folder)
        else:
            link.symlink_to(Path("runs") / name)
            link.replace(latest)
    with shown_at_most():
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
    return folder
