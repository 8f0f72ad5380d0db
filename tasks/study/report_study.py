"""report_study: the study's metrics.json, its tables, its report and its plots."""

import shutil
from pathlib import Path
from typing import Any

from tasks.experiment.data.splits import Problem
from tasks.experiment.reports.figures import Plot, draw_plots
from tasks.experiment.reports.metrics import compose_metrics, describe_data, write_metrics
from tasks.experiment.reports.page import write_body
from tasks.experiment.reports.phrases import by_metric
from tasks.experiment.reports.sentences import distinction, diverged_among, study_answer
from tasks.experiment.reports.study.tuned_sentences import tuned_answer, tuned_sentences
from tasks.experiment.results.statistics.verdicts import RULE
from tasks.experiment.scores import METRICS
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import arms
from tasks.experiment.study.tuned.arms import fixed_arms, tuned_arms
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json


@stage()
def report_study(
    experiment: Experiment, A: Problem, B: Problem, resample_target: bool, answers: Artifact,
    made_with: dict[str, dict[str, str]],
) -> Artifact:  # fmt: skip
    """Store the tables, metrics.json, the report and plots/."""
    import pandas as pd

    from tasks.experiment.reports.study.plots import PLOTS, ReportedStudy
    from tasks.experiment.reports.study.tuned_plots import TUNED_PLOTS, ReportedTuned
    from tasks.experiment.study.answers import behind_the_answer, by_notebook, of_experiment

    evaluated = answers.folder()
    found = read_json(evaluated / "answers.json")
    study = found["study"]
    tables = {file.stem: pd.read_parquet(file) for file in evaluated.glob("*.parquet")}
    answer = tuned_answer(study) if "tuned" in study else study_answer(study)
    compared = behind_the_answer(tables["runs"], experiment, B)
    if caution := diverged_among(len(compared), int(compared.diverged.sum())):
        answer += f" {caution}"
    metrics = compose_metrics(experiment, made_with, describe_data(A, B), found["results"], answer)
    metrics["resample_target"], metrics["study"] = resample_target, study
    content = ReportedStudy(B.data, metrics, of_experiment(by_notebook(tables["runs"]), experiment, B))
    plots: dict[str, Plot[Any]] = dict(PLOTS)
    texts: dict[str, Any] = {}
    if "tuned" in study:
        plots, content = dict(TUNED_PLOTS), ReportedTuned(B.data, metrics, content.runs, tables)
        texts = {
            "said": {
                name: said and by_metric(said, experiment.metric)
                for name, said in tuned_sentences(study["tuned"]).items()
            },
            "tuned_arms": (*fixed_arms(experiment), *tuned_arms(experiment)),
        }

    def write(folder: Path) -> None:
        for file in evaluated.glob("*"):
            if file.suffix in (".csv", ".parquet"):
                shutil.copyfile(file, folder / file.name)
        captions = draw_plots(plots, content, folder / "plots", B.data.classes)
        write_metrics(folder, metrics)
        write_body(
            folder, "study", captions, metrics=metrics, arms=arms(experiment), score_names=list(METRICS), rule=RULE,
            distinction=distinction(B.class_names), runs=len(tables["runs"]),
            diverged=int(tables["runs"].diverged.sum()), **texts,
        )  # fmt: skip

    return save("report_study", write)
