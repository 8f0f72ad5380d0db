"""Reports made by hand, of a data set whose classes have odd names."""

from pathlib import Path
from typing import Any

from tasks.experiment.reports.html import write_pages
from tasks.experiment.reports.page import write_body
from tasks.experiment.reports.study.tuned_sentences import tuned_sentences
from tasks.experiment.results.pairs import replicate, summarize
from tasks.experiment.results.statistics.verdicts import RULE
from tasks.experiment.study.answers import answer_questions, tabulate
from tasks.experiment.study.arms import arms
from tasks.experiment.study.tuned.answers import answer_tuned
from tasks.experiment.study.tuned.arms import tuned_arms
from tests.support.by_hand import EXPERIMENT, B, study_rows
from tests.support.tuned_worlds import LABELS_MATTER, made_up

NAMES = ("left|right", "two\nlines", "C:\\x", "\\|", "|---|", "|\n|---|\n|", "<b>", "plain", "8", "9")
TUNED_CAPTIONS = ("steps", "labels", "pairs", "arms", "pixels", "data", "decomposition", "tuned_labels", "profiles",
                  "tuning")  # fmt: skip


def metrics_by_hand() -> dict[str, Any]:
    """Of two pairs."""
    counts = [{"class": name, "training": 10 + i, "validation": 1, "test": 2} for i, name in enumerate(NAMES)]
    experiment = EXPERIMENT.vary(dataset="one|other.npz", target_classes=(0, 2))
    images = {task: {"training": 90, "validation": 9, "test": 9} for task in ("A", "B")}
    arms: list[Any] = [
        {"accuracy": accuracy, "balanced_accuracy": accuracy - 0.1, "roc_auc": accuracy + 0.05}
        for accuracy in (0.8, 0.9)
    ]
    return {
        **summarize([replicate(seed, *arms) for seed in (42, 43)]),
        "baseline": {"class": NAMES[0], "accuracy": 0.6, "balanced_accuracy": 0.5, "roc_auc": 0.5},
        "data": {"classes": counts, "notes": [], "image_shape": [8, 8], "images": images,
                 "source_classes": NAMES[1:], "target_classes": (NAMES[0], NAMES[2])},
        "experiment": experiment.model_dump(mode="json"), "environment": {"python": "3.11"}, "code": {},
        "answer": "It helps.", "verdict": None, "resample_target": True,
        "run": {"name": "my|run", "date": "2026-01-02T03:04:05+00:00", "commit": "0123456789abcdef", "changed": True,
                "flow": "transfer-learning", "command": "python -m flows.transfer_learning --seed=7"},
    }  # fmt: skip


def write_report(folder: Path, report: str, captions: dict[str, str], **values: Any) -> None:
    """As a stage and then a run does; a plot that is not there is an empty file."""
    (folder / "plots").mkdir(exist_ok=True)
    for name in captions:
        (folder / "plots" / f"{name}.png").touch()
    write_body(folder, report, captions, distinction="this from that", rule=RULE, **values)
    write_pages(folder, values["metrics"])


def write_run(folder: Path, captions: dict[str, str], metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Its table of pairs, with whatever was measured."""
    table = [
        {"seed": 42, "scratch accuracy": 0.8, "scratch recall": None, "error reduction in %": 12.345},
        {"seed": 43, "scratch accuracy": 1.0, "scratch recall": 0.5, "error reduction in %": None},
    ]
    write_report(folder, "report", captions, metrics=metrics, table=table, again=None)
    return table


def write_tuned_study(folder: Path, captions: dict[str, str], metrics: dict[str, Any]) -> dict[str, str | None]:
    """Its sentences. A recipe of S\\* is at the end of what was tried."""
    metrics["study"] = answer_questions(tabulate(study_rows()), EXPERIMENT, B)
    tuned = metrics["study"]["tuned"] = answer_tuned(made_up(LABELS_MATTER, classes=3), EXPERIMENT, B)
    tuned["recipes"][0] |= {"edge": "highest rate", "extended": 2}
    said = tuned_sentences(tuned)
    write_report(
        folder, "study", captions, metrics=metrics, arms=arms(EXPERIMENT), tuned_arms=tuned_arms(EXPERIMENT), said=said,
        score_names=["accuracy"], runs=9, diverged=0,
    )  # fmt: skip
    return said
