"""evaluate_study: all runs as one tidy table, and the answers that it gives."""

import json
from pathlib import Path

from tasks.experiment.data.splits import Problem
from tasks.experiment.settings import Experiment
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save


@stage()
def evaluate_study(experiment: Experiment, B: Problem, runs: list[Artifact]) -> Artifact:
    """Store runs.csv and runs.parquet (one row per network) and answers.json."""
    from tasks.experiment.study.answers import answer_questions, replicates, tabulate

    table = tabulate([row for seed in runs for row in json.loads((seed.folder() / "runs.json").read_text())])
    answers = {"replicates": replicates(table, experiment, B), "study": answer_questions(table, experiment, B)}

    def write(folder: Path) -> None:
        table.to_csv(folder / "runs.csv", index=False)
        table.to_parquet(folder / "runs.parquet", index=False)
        (folder / "answers.json").write_text(json.dumps(answers, indent=1))

    return save("evaluate_study", write)
