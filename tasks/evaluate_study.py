"""evaluate_study: all runs as one tidy table, and the answers that it gives."""

import json
from pathlib import Path

from tasks.experiment.dataset import DataSet
from tasks.experiment.recipe import Experiment
from tasks.experiment.store import Artifact, save
from tasks.stage import stage


@stage()
def evaluate_study(data: DataSet, experiment: Experiment, runs: list[Artifact]) -> Artifact:
    """Store runs.csv and runs.parquet (a row a network) and answers.json."""
    from tasks.experiment.study import answer_questions, replicates, tabulate

    table = tabulate([row for seed in runs for row in json.loads((seed.folder() / "runs.json").read_text())])
    given = table, experiment, data.classes
    answers = {"replicates": replicates(*given), "study": answer_questions(*given)}

    def write(folder: Path) -> None:
        table.to_csv(folder / "runs.csv", index=False)
        table.to_parquet(folder / "runs.parquet", index=False)
        (folder / "answers.json").write_text(json.dumps(answers, indent=1))

    return save("evaluate_study", write)
