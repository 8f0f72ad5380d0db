"""report_study: the study's metrics.json, its tables, its report and its plots."""

import json
import shutil
from pathlib import Path
from typing import Any

from tasks.experiment.data.splits import Problem
from tasks.experiment.reports import plots
from tasks.experiment.reports.page import write_pages
from tasks.experiment.reports.sentences import study_answer, told_apart
from tasks.experiment.results.statistics import ALPHA, TOO_SMALL
from tasks.experiment.settings import Experiment
from tasks.orchestration.stage import stage
from tasks.report import describe_data
from tasks.storage.artifacts import Artifact, save

CAPTIONS = {
    "pairs": "Test accuracy of each pair",
    "arms": "Error reduction of each arm against scratch, with its 95 % interval",
    "labels": "Test accuracy against the number of labelled images of task B",
    "pixels": "Test accuracy of each pair on standardized and on raw pixels",
    "data": "The first training images of each class",
    "classes": "Error reduction for each pair of target classes; a dot: the interval holds 0",
}


@stage()
def report_study(
    experiment: Experiment, A: Problem, B: Problem, resample_target: bool, answers: Artifact,
    made_with: dict[str, dict[str, str]],
) -> Artifact:  # fmt: skip
    """Store runs.csv, runs.parquet, metrics.json, the report and plots/."""
    import pandas as pd

    from tasks.experiment.reports import study_plots
    from tasks.experiment.study.answers import of_experiment

    answered = answers.folder()
    found: dict[str, Any] = json.loads((answered / "answers.json").read_text())
    study, table = found["study"], pd.read_parquet(answered / "runs.parquet")
    metrics: dict[str, Any] = {"experiment": experiment.model_dump(mode="json"), **made_with}
    metrics["data"] = describe_data(A, B)
    metrics |= {"resample_target": resample_target, "answer": study_answer(study)}
    metrics |= {"error_reduction": study["help"]["error_reduction"], "pairs": study["help"]["pairs"]} | found

    def write(folder: Path) -> None:
        for name in ("runs.csv", "runs.parquet"):
            shutil.copyfile(answered / name, folder / name)
        pictures = folder / "plots"
        pictures.mkdir()
        plots.draw_pairs(metrics["replicates"], pictures / "pairs.png")
        study_plots.draw_arms(study["arms"]["against_scratch"], pictures / "arms.png")
        study_plots.draw_labels(study["labels"], pictures / "labels.png")
        if "pixels" in study:
            study_plots.draw_pixels(of_experiment(table, experiment, B), pictures / "pixels.png")
        plots.draw_samples(B.data, pictures / "data.png")
        if "classes" in study:
            study_plots.draw_classes(study["classes"], B.data.classes, pictures / "classes.png")
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1))
        captions = {name: caption for name, caption in CAPTIONS.items() if (pictures / f"{name}.png").exists()}
        names = B.class_names
        rule = {"alpha": ALPHA, "too_small": TOO_SMALL}
        counts = {"runs": len(table), "diverged": int(table.diverged.sum())}
        write_pages(
            folder,
            "study",
            captions,
            metrics=metrics,
            study=study,
            names=names,
            apart=told_apart(names),
            rule=rule,
            **counts,
        )

    return save("report_study", write)
