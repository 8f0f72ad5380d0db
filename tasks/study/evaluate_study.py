"""evaluate_study: all runs as one tidy table, and the answers that it gives."""

from pathlib import Path

from prefect.logging import get_run_logger

from tasks.experiment.data.splits import Problem
from tasks.experiment.results.pairs import log_look, summarize
from tasks.experiment.results.sequential import Look
from tasks.experiment.settings import Experiment
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json, write_json


@stage()
def evaluate_study(experiment: Experiment, B: Problem, runs: list[Artifact], look: Look) -> Artifact:
    """Store runs.csv and runs.parquet (one row per network) and answers.json.

    look: this one of the looks at the pairs so far, of a study that may stop early.
    """
    from tasks.experiment.study.answers import answer_questions, replicates, tabulate

    table = tabulate([row for seed in runs for row in read_json(seed.folder() / "runs.json")])
    results, study = summarize(replicates(table, experiment, B), look), answer_questions(table, experiment, B)
    study["help"]["error_reduction"], study["help"]["verdict"] = results["error_reduction"], results["claim"]
    answers = {"results": results, "study": study}

    def write(folder: Path) -> None:
        table.to_csv(folder / "runs.csv", index=False)
        table.to_parquet(folder / "runs.parquet", index=False)
        write_json(folder / "answers.json", answers)

    return save("evaluate_study", write)


def can_tell(answers: Artifact, look: Look) -> bool:
    """Whether these pairs are enough to say whether transfer helps; the log says why the study goes on or ends."""
    return log_look(get_run_logger(), read_json(answers.folder() / "answers.json")["results"], look)
