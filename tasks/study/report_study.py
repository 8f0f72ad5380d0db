"""report_study: the study's metrics.json, its tables, its report and its plots."""

import shutil
from pathlib import Path

from tasks.experiment.data.splits import Problem
from tasks.experiment.reports.figures import draw_plots
from tasks.experiment.reports.metrics import compose_metrics, describe_data, write_metrics
from tasks.experiment.reports.page import write_pages
from tasks.experiment.reports.sentences import distinction, study_answer
from tasks.experiment.results.scores import METRICS
from tasks.experiment.results.verdicts import RULE
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import arms
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json


@stage()
def report_study(
    experiment: Experiment, A: Problem, B: Problem, resample_target: bool, answers: Artifact,
    made_with: dict[str, dict[str, str]],
) -> Artifact:  # fmt: skip
    """Store runs.csv, runs.parquet, metrics.json, the report and plots/."""
    import pandas as pd

    from tasks.experiment.reports.study_plots import PLOTS, ReportedStudy
    from tasks.experiment.study.answers import of_experiment

    evaluated = answers.folder()
    found = read_json(evaluated / "answers.json")
    table = pd.read_parquet(evaluated / "runs.parquet")
    results = found["results"]
    metrics = compose_metrics(experiment, made_with, describe_data(A, B), results, study_answer(found["study"]))
    metrics["resample_target"], metrics["study"] = resample_target, found["study"]
    content = ReportedStudy(B.data, metrics, of_experiment(table, experiment, B))

    def write(folder: Path) -> None:
        for name in ("runs.csv", "runs.parquet"):
            shutil.copyfile(evaluated / name, folder / name)
        captions = draw_plots(PLOTS, content, folder / "plots")
        write_metrics(folder, metrics)
        write_pages(
            folder, "study", captions, metrics=metrics, arms=arms(experiment), score_names=list(METRICS), rule=RULE,
            distinction=distinction(B.class_names), runs=len(table), diverged=int(table.diverged.sum()),
        )  # fmt: skip

    return save("report_study", write)
