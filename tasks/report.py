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

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.models import Models
from tasks.experiment.reports.card import model_card
from tasks.experiment.reports.figures import draw_plots
from tasks.experiment.reports.metrics import (
    compose_metrics,
    describe_data,
    night_of,
    read_metrics,
    table_of_pairs,
    write_metrics,
)
from tasks.experiment.reports.page import with_plots_inside, write_pages
from tasks.experiment.reports.plots import PLOTS, Epochs, ReportedRun
from tasks.experiment.reports.sentences import answer, distinction
from tasks.experiment.results.nights import Night, judge, weights_digest
from tasks.experiment.results.pairs import Results
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


@stage()
def report(
    experiment: Experiment, A: Problem, B: Problem, models: Models, scores: Artifact,
    made_with: dict[str, dict[str, str]], earlier: list[Night] | None,
) -> Artifact:  # fmt: skip
    """earlier: the nights to compare with; None: this is no night."""
    results: Results = json.loads((scores.folder() / "scores.json").read_text())
    for i, replicate in enumerate(results["replicates"]):
        replicate["weights"] = {name: weights_digest(each[i].folder() / "model.keras") for name, each in models}
    metrics = compose_metrics(experiment, made_with, describe_data(A, B), results, answer(results["error_reduction"]))
    tonight = night_of(metrics, run="this run", date="now")
    metrics["verdict"] = None if earlier is None else judge(tonight, earlier).model_dump()

    test = B.parts()["test"]
    with np.load(scores.folder() / "probabilities.npz", allow_pickle=False) as probabilities:
        right = {arm: decide(probabilities[arm][0]) == test.labels for arm in ("scratch", "transfer")}
    epochs = {"scratch": _epochs(models.B_scratch), "transfer": _epochs(models.B_on_A)}
    nights = [] if earlier is None else [*earlier, tonight]
    content = ReportedRun(B.data, metrics, epochs, B.data.images("test")[test.rows], test.labels, right, nights)

    def write(folder: Path) -> None:
        captions = draw_plots(PLOTS, content, folder / "plots")
        write_metrics(folder, metrics)
        table = table_of_pairs(metrics["replicates"])
        write_pages(folder, "report", captions, metrics=metrics, table=table, distinction=distinction(B.class_names))

    return save("report", write)


def _epochs(models: list[Artifact]) -> list[Epochs]:
    return [json.loads((model.folder() / "history.json").read_text()) for model in models]


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
        metrics = read_metrics(new)
        for model, file in models.items():
            shutil.copyfile(file, new / "models" / f"{model}.keras")
            epochs = file.with_name("history.json")
            last_epoch = json.loads(epochs.read_text())[-1] if epochs.exists() else None
            (new / "models" / f"{model}.md").write_text(model_card(model, metrics, last_epoch))
        (new / RECORD).write_text(json.dumps(_record([written, used]), indent=1))
        in_ui = with_plots_inside((new / "report.md").read_text(), new)
        is_latest = keep_run(name, new)
    folder = shared_root() / "runs" / name
    if not is_latest:
        latest = artifacts_root() / LATEST
        get_run_logger().warning("%s is not a link, and was left alone: this run is in %s", latest, folder)
    with shown_at_most():
        create_markdown_artifact(in_ui, key=f"{prefix}report", description=metrics["answer"])
        create_table_artifact(
            table_of_pairs(metrics["replicates"]),
            key=f"{prefix}metrics",
            description="What each pair comes to on task B's test images",
        )
        if verdict := metrics.get("verdict"):
            _show_nights(verdict, folder / "plots" / "nights.png")
    return folder


def _record(used: Any) -> dict[str, Any]:
    """What house-keeping must know of a run: when it was made, and the artifacts that it came from."""
    artifacts = sorted({artifact.path for artifact in artifacts_in(used)})
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "artifacts": artifacts}


def _show_nights(verdict: dict[str, str], plot: Path | UPath) -> None:
    image = base64.b64encode(plot.read_bytes()).decode()
    create_markdown_artifact(
        f"# {verdict['name']}\n\n> {verdict['reason']}\n\n![{PLOTS['nights'].caption}](data:image/png;base64,{image})",
        key="nights",
        description=f"{verdict['name']}: {verdict['reason']}",
    )
