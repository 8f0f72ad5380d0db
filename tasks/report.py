"""report: metrics.json, the report as a page and as Markdown, and the plots."""

import base64
import json
import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.logging import get_run_logger
from upath import UPath

from tasks.experiment.data.inspection import class_counts
from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.models import Models
from tasks.experiment.reports import plots
from tasks.experiment.reports.card import model_card
from tasks.experiment.reports.page import write_pages
from tasks.experiment.reports.sentences import answer, told_apart
from tasks.experiment.results import nights
from tasks.experiment.results.scores import decide
from tasks.experiment.settings import Experiment
from tasks.orchestration.code_identity import code_identity, library_version
from tasks.orchestration.progress import shown_at_most
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, artifacts_in, copy_files, save
from tasks.storage.locks import temporary_folder
from tasks.storage.roots import artifacts_root, shared_root
from tasks.storage.runs import LATEST, RECORD, keep_run

ANSWERING = ("download", "normalize", "split", "train", "evaluate")  # the stages that the answer comes from
LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "matplotlib", "prefect")
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


def environment() -> dict[str, str]:
    """What a result may depend on beside code and settings: Python, the machine, the libraries' versions."""
    versions = {name: library_version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


def made_with() -> dict[str, dict[str, str]]:
    """`environment`, and `code`: a hash of each module that the answer comes from."""
    code = {name: text for stage in ANSWERING for name, text in code_identity(f"tasks.{stage}").items()}
    return {"environment": environment(), "code": {name: code[name] for name in sorted(code) if "tasks" in name}}


def publish(name: str, written: Artifact, models: dict[str, Path], used: Any, prefix: str = "") -> Path | UPath:
    """Make runs/<name> from the store, whole or not at all, point `latest` at it, and show it in the UI.

    models: files to copy, by name. used: the handles of what the run came from, however nested; they are noted in
    run.json, for house-keeping. prefix: of the keys under which the UI keeps the history of reports and metrics.
    """
    with temporary_folder(artifacts_root()) as temporary:
        new = temporary / "run"
        copy_files(written, new)
        (new / "models").mkdir(exist_ok=True)
        metrics = json.loads((new / "metrics.json").read_text())
        for model, file in models.items():
            shutil.copyfile(file, new / "models" / f"{model}.keras")
            epochs = file.with_name("history.json")
            last_epoch = json.loads(epochs.read_text())[-1] if epochs.exists() else None
            (new / "models" / f"{model}.md").write_text(model_card(model, metrics, last_epoch))
        (new / RECORD).write_text(json.dumps(_record([written, used]), indent=1))
        in_ui = (new / "ui.md").read_text()
        (new / "ui.md").unlink()
        is_latest = keep_run(name, new)
    folder = shared_root() / "runs" / name
    if not is_latest:
        latest = artifacts_root() / LATEST
        get_run_logger().warning("%s is not a link, and was left alone: this run is in %s", latest, folder)
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
        if metrics.get("verdict"):
            _show_nights(metrics["verdict"], folder / "plots" / "history.png")
    return folder


def _record(used: Any) -> dict[str, Any]:
    """What house-keeping must know of a run: when it was made, and the artifacts that it came from."""
    artifacts = sorted({artifact.path for artifact in artifacts_in(used)})
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "artifacts": artifacts}


def _show_nights(verdict: dict[str, str], picture: Path | UPath) -> None:
    image = base64.b64encode(picture.read_bytes()).decode()
    create_markdown_artifact(
        f"# {verdict['name']}\n\n> {verdict['reason']}\n\n![{CAPTIONS['history']}](data:image/png;base64,{image})",
        key="history",
        description=f"{verdict['name']}: {verdict['reason']}",
    )
