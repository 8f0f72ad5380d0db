"""report_recommendation: metrics.json, the report and its plots."""

from pathlib import Path

from tasks.experiment.data.splits import Problem
from tasks.experiment.recommend.answers import Choice
from tasks.experiment.recommend.choice import DROPPED
from tasks.experiment.recommend.curve import Curve
from tasks.experiment.recommend.methods import Judging
from tasks.experiment.recommend.settings import Question
from tasks.experiment.reports.figures import draw_plots
from tasks.experiment.reports.page import write_body
from tasks.experiment.reports.recommend.metrics import RecommendationMetrics, describe_labels, table_of_candidates
from tasks.experiment.reports.recommend.plots import PLOTS, SHOWN, ReportedChoice
from tasks.experiment.reports.recommend.sentences import (
    RULE,
    between,
    in_percent,
    recommendation,
    said_by_test_images,
    worth,
)
from tasks.experiment.reports.sentences import distinction
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json, write_json


@stage()
def report_recommendation(
    question: Question, seed: int, B: Problem, judging: Judging, choice: Artifact, curve: Artifact, model: Artifact,
    made_with: dict[str, dict[str, str]],
) -> Artifact:  # fmt: skip
    """Store metrics.json, report.md and plots/."""
    found: Choice = read_json(choice.folder() / "choice.json")
    growing: Curve = read_json(curve.folder() / "curve.json")
    test = read_json(model.folder() / "test.json") or None
    names = list(B.class_names)
    metrics = RecommendationMetrics(
        experiment=question.model_dump(mode="json") | {"seed": seed}, environment=made_with["environment"],
        code=made_with["code"], data=describe_labels(B, found["folds"], judging.folds),
        answer=recommendation(found, growing, names), choice=found, curve=growing, test=test,
        table=table_of_candidates(found["candidates"]),
    )  # fmt: skip
    rows = [mistake["row"] for mistake in found["mistakes"]][:SHOWN]
    content = ReportedChoice(found, growing, names, B.data.images("train")[rows])
    expected = f"{in_percent(found['expected'])} ({between(found['expected'])})"
    words = {"distinction": distinction(names), "expected": expected, "tested": said_by_test_images(test)}

    def write(folder: Path) -> None:
        captions = draw_plots(PLOTS, content, folder / "plots")
        write_json(folder / "metrics.json", metrics)
        write_body(
            folder, "recommend", captions, metrics=metrics, rule=RULE, dropped=DROPPED, worth=worth(growing), **words
        )

    return save("report_recommendation", write)
