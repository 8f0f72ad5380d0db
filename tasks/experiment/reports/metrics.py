"""metrics.json: what it holds, how it is composed, and how it is read back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from upath import UPath

from tasks.experiment.data.inspection import class_counts
from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.bodies.body import model_notes
from tasks.experiment.networks.recipe import TunedRecipe
from tasks.experiment.reports.cautions import Baseline, baseline, cautions
from tasks.experiment.reports.phrases import SCORES, by_metric
from tasks.experiment.results.convergence import Convergence
from tasks.experiment.results.nights import Night
from tasks.experiment.results.pairs import Replicate, Results, errors
from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.study import Study
from tasks.experiment.scores import METRICS, Metric
from tasks.experiment.settings import Experiment
from tasks.storage.files import read_json, write_json
from tasks.storage.runs import read_runs

FILE = "metrics.json"
ROWS = 1000  # of a table of pairs: pages with more are no use


class DataDescription(TypedDict):
    """A data set, and how many images task A and task B have of it for training, validation and test.

    classes: one row per class. notes: on the data, on those of task A, on the model in its place; one sentence each.
    source_classes: None if A was not trained here.
    """

    image_shape: Sequence[int]
    classes: list[dict[str, Any]]
    notes: Sequence[str]
    images: dict[str, dict[str, int]]
    source_classes: list[str] | None
    target_classes: list[str]


class ArmRecipe(TunedRecipe):
    """Of one network: its seed, and "scratch" or "transfer"."""

    seed: int
    arm: str


class RunDescription(TypedDict):
    """Which run it was.

    name: as in Prefect's UI. date: when it was made (ISO 8601, UTC). commit, changed: of the project, and whether its
    files differed from that; None if it is no git checkout. flow: its name. command: repeats the run.
    """

    name: str
    date: str
    commit: str | None
    changed: bool | None
    flow: str
    command: str


class Metrics(Results):
    """A run's results, what they come from, and its answer in one sentence.

    environment: Python, the machine, the libraries' versions; code: a hash of each module. baseline: what naming the
    commonest class always comes to.
    convergence: whether task B's training had converged; or, if it was tuned, recipes: of each network. verdict: what a
    night says about the earlier ones; None if the run is no night. study, resample_target: of a study. run: once it is
    published, by version 0.2 or later.
    """

    experiment: dict[str, Any]
    environment: dict[str, str]
    code: dict[str, str]
    data: DataDescription
    baseline: Baseline
    answer: str
    convergence: NotRequired[Convergence]
    recipes: NotRequired[list[ArmRecipe]]
    verdict: NotRequired[dict[str, str] | None]
    study: NotRequired[Study]
    resample_target: NotRequired[bool]
    run: NotRequired[RunDescription]


def compose_metrics(
    experiment: Experiment, made_with: dict[str, dict[str, str]], data: DataDescription, results: Results, answer: str
) -> Metrics:
    """What every run's metrics.json holds. made_with: its `environment` and `code`. The answer has its cautions."""
    of_target = [row for row in data["classes"] if row["class"] in data["target_classes"]]
    metric = experiment.metric
    answer = " ".join([by_metric(answer, metric), *cautions(of_target, results["replicates"], metric)])
    return Metrics(
        experiment=experiment.model_dump(mode="json"), environment=made_with["environment"], code=made_with["code"],
        data=data, baseline=baseline(of_target), answer=answer, **results,
    )  # fmt: skip


def describe_data(A: Problem, B: Problem) -> DataDescription:
    """What a report tells about the data."""
    counts_A, counts_B = class_counts(A.data), class_counts(B.data)
    rows_A, rows_B = [counts_A[number] for number in A.classes], [counts_B[number] for number in B.classes]
    images = {
        task: {part: sum(row[part] for row in rows) for part in ("training", "validation", "test")}
        for task, rows in (("A", rows_A), ("B", rows_B))
    }
    notes = [*B.data.notes, *([] if A.data == B.data else A.data.notes)]
    if A.examples is None:
        notes += model_notes(A.start)
    return DataDescription(
        image_shape=B.data.image_shape, classes=counts_B, notes=notes, images=images,
        source_classes=[row["class"] for row in rows_A] or None, target_classes=[row["class"] for row in rows_B],
    )  # fmt: skip


def write_metrics(folder: Path, metrics: Metrics) -> None:
    write_json(folder / FILE, metrics)


def read_metrics(folder: Path | UPath) -> Metrics:
    """The metrics of the run in `folder`. Raises OSError if there are none, ValueError if they are not JSON."""
    metrics: Metrics = read_json(folder / FILE)
    return metrics


def table_of_pairs(replicates: list[Replicate]) -> list[dict[str, object]]:
    """One row per pair (of the first ROWS), by column: its seed, each metric of either arm, and its error reduction."""
    rows, names = [], cast(dict[str, str], SCORES)
    for pair in replicates[:ROWS]:
        arms: dict[str, Mapping[str, object]] = {"scratch": pair["scratch"], "transfer": pair["transfer"]}
        scores = {f"{arm} {names.get(name, name)}": arms[arm][name] for name in METRICS for arm in arms}
        rows.append({"seed": pair["seed"], **scores, "error reduction in %": pair["error_reduction"]})
    return rows


def metric_of(metrics: Metrics) -> Metric:
    """What the run's errors are taken from; runs of earlier versions knew accuracy alone."""
    return cast(Metric, metrics["experiment"].get("metric", "accuracy"))


def errors_of(metrics: Metrics) -> tuple[Errors, Errors]:
    """Errors of scratch and of transfer, each of shape (pairs,), by the run's metric."""
    return errors(metrics["replicates"], metric_of(metrics))


def table_of_run(metrics: Mapping[str, Any]) -> list[dict[str, object]]:
    """A run's own table, or that of its pairs."""
    table: list[dict[str, object]] | None = metrics.get("table")
    return table_of_pairs(metrics["replicates"]) if table is None else table


def night_of(metrics: Metrics, run: str, date: str) -> Night:
    """The night that a run was. Raises KeyError if its metrics lack something."""
    result = metrics["error_reduction"]
    scratch, transfer = (each.tolist() for each in errors_of(metrics))
    return Night(
        run=run, date=date, estimate=result["estimate"], low=result["low"], high=result["high"],
        scratch=scratch, transfer=transfer,
        weights=[replicate["weights"] for replicate in metrics["replicates"]],
        made_with=metrics["environment"] | metrics["code"],
    )  # fmt: skip


def earlier_nights(experiment: Experiment, seeds: list[int]) -> list[Night]:
    """The comparable nights among the runs that are kept, oldest first."""
    nights = []
    for run in read_runs():
        try:
            metrics = read_metrics(run.folder)
            comparable = (
                metrics["verdict"]
                and Experiment.model_validate(metrics["experiment"]) == experiment
                and [replicate["seed"] for replicate in metrics["replicates"]] == seeds
            )
            if comparable:
                nights.append(night_of(metrics, run.folder.name, run.time[:10]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # damaged, or of another kind
    return nights
