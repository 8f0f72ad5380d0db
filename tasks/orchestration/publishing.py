"""How a run ends: its folder, its page in the UI, its last state, and pruning."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import State, get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from upath import UPath

from tasks.experiment.reports.card import model_card
from tasks.experiment.reports.html import data_uri, with_plots_inside, write_pages
from tasks.experiment.reports.index import write_index
from tasks.experiment.reports.metrics import Metrics, read_metrics, table_of_run, write_metrics
from tasks.experiment.reports.page import complete
from tasks.experiment.reports.plots import PLOTS
from tasks.experiment.reports.sentences import not_converged
from tasks.experiment.settings import Experiment
from tasks.orchestration.provenance import artifacts_of_run, describe_run
from tasks.orchestration.run_names import folder_name
from tasks.orchestration.terminal.progress import best_effort
from tasks.orchestration.tracking import track
from tasks.storage.artifacts import Artifact, copy_files
from tasks.storage.files import printable, read_json, read_text, write_json, write_text
from tasks.storage.in_use import InUseError
from tasks.storage.locks import temporary_folder
from tasks.storage.pruning import prune
from tasks.storage.roots import artifacts_root, shared_root
from tasks.storage.runs import LATEST, RECORD, keep_run

REGRESSED = "headstart.answer.regressed"
ORIGINS = "dataset", "source_dataset", "source_datasets", "source_model", "source_models"  # settings of either kind


def publish(report: Artifact, models: dict[str, Path], prefix: str = "") -> Path | UPath:
    """Make a folder in runs/ of a report and models, whole or not at all, point `latest` at it, show it in the UI
    and in trackers.

    models: .keras files, by name. prefix: of the keys under which the UI keeps the reports and metrics of all runs.
    """
    name = folder_name(shared_root() / "runs")
    date = datetime.now(UTC).isoformat(timespec="seconds")
    with temporary_folder(artifacts_root()) as temporary:
        new = temporary / "run"
        copy_files(report, new)
        metrics, body = read_metrics(new), read_text(new / "report.md")
        metrics["run"] = describe_run(date)
        write_metrics(new, metrics)
        _add_models(new / "models", models, metrics)
        write_pages(new, metrics)
        write_json(new / RECORD, _record(date))
        is_latest = keep_run(name, new)
    folder = shared_root() / "runs" / name
    get_run_logger().info("Report, plots and models are in %s", printable(folder))
    if not is_latest:
        latest = artifacts_root() / LATEST
        get_run_logger().warning(
            "%s is not a link, and was left alone: this run is in %s", printable(latest), printable(folder)
        )
    _list_runs()
    here = artifacts_root() / "runs" / name
    with best_effort():
        _show(here, complete(body, metrics=metrics, place=folder), metrics, prefix)
    track(here)
    return folder


def _list_runs() -> None:
    """The page of all runs; without it a run is no less whole."""
    try:
        write_index()
    except OSError as error:
        get_run_logger().warning("The list of all runs was not written: %s", printable(error))


def _add_models(folder: Path, models: dict[str, Path], metrics: Metrics) -> None:
    """<name>.keras and its card <name>.md, of each model."""
    folder.mkdir()
    licence = _licence(metrics["experiment"])
    for name, file in models.items():
        shutil.copyfile(file, folder / f"{name}.keras")
        epochs = file.with_name("history.json")
        last_epoch = read_json(epochs)[-1] if epochs.exists() else None
        if "choice" in metrics:
            from tasks.experiment.reports.recommend.card import recommended_card  # imports SciPy and TensorFlow

            card = recommended_card(metrics, licence)
        else:
            card = model_card(name, metrics, last_epoch, licence)
        write_text(folder / f"{name}.md", card)


def _licence(experiment: dict[str, Any]) -> str | None:
    """Of the project and of all that its models were trained on, as a hub abbreviates it; None: not known."""
    given = [experiment.get(name) for name in ORIGINS]
    sources = {source for value in given for source in (value if isinstance(value, list | tuple) else [value])}
    return "mit" if sources - {None} == {Experiment().dataset} else None  # both are MIT's


def _record(date: str) -> dict[str, Any]:
    """What pruning must know of a run: when it was made, and the artifacts that it came from."""
    artifacts = sorted(artifact.path for artifact in artifacts_of_run())
    return {"time": date, "artifacts": artifacts}


def _show(folder: Path, report: str, metrics: Metrics, prefix: str) -> None:
    """The run's page in the UI: its report, its numbers and, of a night, its verdict. folder: with the plots."""
    create_markdown_artifact(with_plots_inside(report, folder), key=f"{prefix}report", description=metrics["answer"])
    create_table_artifact(
        [_for_ui(row) for row in table_of_run(metrics)],
        key=f"{prefix}metrics",
        description="What each pair comes to on task B's test images" if "replicates" in metrics else metrics["answer"],
    )
    if verdict := metrics.get("verdict"):
        plot = data_uri(folder / "plots" / "nights.png")
        create_markdown_artifact(
            f"# {verdict['name']}\n\n> {verdict['reason']}\n\n![{PLOTS['nights'].caption}]({plot})",
            key="nights",
            description=f"{verdict['name']}: {verdict['reason']}",
        )


def _for_ui(row: dict[str, Any]) -> dict[str, Any]:
    """Rounded, and without the losses: the UI cuts a table of more columns at its right edge."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
    return {name: value for name, value in rounded.items() if not name.endswith(" loss")}


def conclude(folder: Path | UPath) -> State[str]:
    """The run's last state: its message holds the answer and, of a night, the verdict; its data is the run's folder.

    A regressed night has failed, so that it looks like trouble wherever runs are listed. (Prefect's pages list runs by
    its own states' names, so a state has no other one.)
    """
    metrics = read_metrics(folder)
    if "convergence" in metrics and (warning := not_converged(metrics["convergence"])):
        get_run_logger().warning(warning)
    verdict = metrics.get("verdict")
    if not verdict:
        return Completed(message=metrics["answer"], data=str(folder))
    with best_effort(), get_client(sync_client=True) as client:
        # Before the others, in this order: a page that is too narrow for all tags shows the first ones.
        client.update_flow_run(flow_run.id, tags=list(dict.fromkeys([verdict["name"].lower(), *flow_run.tags])))
    message = f"{verdict['name']}: {verdict['reason']} {metrics['answer']}"
    if verdict["name"] != "Regressed":
        return Completed(message=message, data=str(folder))
    resource = {"prefect.resource.id": f"prefect.flow-run.{flow_run.id}", "prefect.resource.name": folder.name}
    emit_event(REGRESSED, resource=resource, payload=verdict)
    return Failed(message=message, data=str(folder))


def keep_newest(keep: int | None) -> None:
    """Prune, unless `keep` is None or another run is using the artifacts: then the next run with `keep` does it."""
    if keep is None:
        return
    log = get_run_logger()
    try:
        removed = prune(keep)
    except InUseError as busy:
        log.info("Not pruned: %s", busy)
    else:
        log.info("Pruned to %d runs: %.1f MB removed", keep, sum(removal.bytes for removal in removed) / 1e6)
        _list_runs()
