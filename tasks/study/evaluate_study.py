"""evaluate_study: all runs as tidy tables, and the answers that they give."""

from pathlib import Path
from typing import Any

from prefect.logging import get_run_logger
from pydantic import Field

from tasks.experiment.data.splits import Problem
from tasks.experiment.results.pairs import log_look, summarize
from tasks.experiment.results.statistics.sequential import Look
from tasks.experiment.settings import Experiment
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, Handle, save
from tasks.storage.files import read_json, write_json


class TunedResults(Handle):
    """What tuning came to: the points that were tried on tuning seeds, and each reported seed's tuned networks.

    source_steps: how many SGD steps task A took; None if they are not counted, as where A was not trained here.
    """

    tried: list[Artifact] = Field(default_factory=list)
    networks: list[Artifact] = Field(default_factory=list)
    source_steps: int | None = None


@stage()
def evaluate_study(
    experiment: Experiment,
    B: Problem,
    runs: list[Artifact],
    look: Look,
    tuned: TunedResults = TunedResults(),  # noqa: B008 (frozen)
) -> Artifact:
    """Store runs.csv and runs.parquet (one row per network) and answers.json; of tuned arms curves and tuning.parquet.

    look: this one of the looks at the pairs so far, of a study that may stop early.
    """
    from tasks.experiment.study.answers import answer_questions, by_notebook, replicates, tabulate
    from tasks.experiment.study.tuned.answers import TunedTables, answer_tuned
    from tasks.experiment.study.tuned.tables import tabulate_curves, tabulate_tuning

    table = tabulate(_rows("runs", runs + tuned.networks))
    notebook = by_notebook(table)
    results = summarize(replicates(notebook, experiment, B), look, metric=experiment.metric)
    study = answer_questions(notebook, experiment, B)
    study["help"]["error_reduction"], study["help"]["verdict"] = results["error_reduction"], results["claim"]
    tables = {"runs": table}
    if tuned.networks:
        tables["curves"] = tabulate_curves(_rows("curves", tuned.networks))
        tables["tuning"] = tabulate_tuning(_rows("tried", tuned.tried + tuned.networks))
        recipes: list[Any] = _rows("recipes", tuned.networks)
        once = [recipe for number, recipe in enumerate(recipes) if recipe not in recipes[:number]]
        given = TunedTables(**tables, recipes=once, source_steps=tuned.source_steps)
        study["tuned"] = answer_tuned(given, experiment, B)
    answers = {"results": results, "study": study}

    def write(folder: Path) -> None:
        table.to_csv(folder / "runs.csv", index=False)
        for name, each in tables.items():
            each.to_parquet(folder / f"{name}.parquet", index=False)
        write_json(folder / "answers.json", answers)

    return save("evaluate_study", write)


def _rows(name: str, artifacts: list[Artifact]) -> list[dict[str, Any]]:
    return [row for artifact in artifacts for row in read_json(artifact.folder() / f"{name}.json")]


def can_tell(answers: Artifact, look: Look) -> bool:
    """Whether these pairs are enough to say whether transfer helps; the log says why the study goes on or ends."""
    return log_look(get_run_logger(), read_json(answers.folder() / "answers.json")["results"], look)
