"""Reports as their readers see them: the tables of the page that is made of the Markdown."""

import itertools
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tasks.experiment.reports.card import model_card, read_head
from tasks.experiment.reports.page import to_html, write_pages
from tasks.experiment.reports.study.tuned_sentences import tuned_sentences
from tasks.experiment.results.statistics.verdicts import RULE
from tasks.experiment.study.answers import answer_questions, tabulate
from tasks.experiment.study.arms import arms
from tasks.experiment.study.tuned.answers import answer_tuned
from tasks.experiment.study.tuned.arms import tuned_arms
from tests.support.by_hand import EXPERIMENT, B
from tests.support.tuned_worlds import LABELS_MATTER, made_up

NAMES = ("left|right", "two\nlines", "C:\\x", "\\|", "|---|", "|\n|---|\n|", "<b>", "plain", "8", "9")
SHOWN = ("left|right", "two lines", "C:\\x", "\\|", "|---|", "| |---| |", "<b>", "plain", "8", "9")


class Tables(HTMLParser):
    """The rows of a page's tables: the text of each cell."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


@pytest.fixture
def metrics() -> dict[str, Any]:
    """What the tables are made of, of a data set whose classes have odd names."""
    counts = [{"class": name, "training": 10 + i, "validation": 1, "test": 2} for i, name in enumerate(NAMES)]
    experiment = EXPERIMENT.vary(dataset="one|other.npz", target_classes=(0, 2))
    images = {task: {"training": 90, "validation": 9, "test": 9} for task in ("A", "B")}
    return {
        "data": {"classes": counts, "notes": [], "image_shape": [8, 8], "images": images,
                 "source_classes": NAMES[1:], "target_classes": (NAMES[0], NAMES[2])},
        "experiment": experiment.model_dump(mode="json"), "environment": {"python": "3.11"},
        "answer": "It helps.", "resample_target": True, "pairs": {"n": 2},
        "baseline": {"class": NAMES[0], "accuracy": 0.6, "balanced_accuracy": 0.5, "roc_auc": 0.5},
        "replicates": [
            {"seed": 42 + i, "scratch": {"accuracy": 0.5 + i / 4, "balanced_accuracy": 0.5, "roc_auc": 0.75},
             "transfer": {"accuracy": 0.75, "balanced_accuracy": 0.625, "roc_auc": 0.875 + i / 8}}
            for i in range(2)
        ],
    }  # fmt: skip


def test_the_studys_report_explains_each_arm_and_a_name_stays_in_its_cell(
    metrics: dict, rows: list[dict], tmp_path: Path
) -> None:
    of_others = [
        r | {"classes": f"{n} {n + 1}", "negative": n, "positive": n + 1}
        for n in range(9) for r in rows if r["samples"] == 200
    ]  # fmt: skip
    own = B.model_copy(update={"data": B.data.model_copy(update={"classes": NAMES})})
    metrics["study"] = answer_questions(tabulate(rows + of_others), EXPERIMENT, own)
    captions = {name: name for name in ("labels", "pairs", "arms", "pixels", "classes", "data")}
    (tmp_path / "plots").mkdir()
    for name in captions:
        (tmp_path / "plots" / f"{name}.png").touch()
    write_pages(
        tmp_path, "study", captions, metrics=metrics, arms=arms(EXPERIMENT), score_names=["accuracy"], rule=RULE,
        distinction="this from that", runs=9, diverged=0,
    )  # fmt: skip
    written = (tmp_path / "report.md").read_text()
    assert all(f"- *{arm.name}*: {arm.says}." in written for arm in arms(EXPERIMENT))
    shown = Tables((tmp_path / "report.html").read_text()).rows
    for number, name in enumerate(SHOWN):
        assert [name, str(10 + number), "1", "2"] in shown
    assert {(r[0], r[1]) for r in shown if len(r) == 7} >= set(itertools.pairwise(SHOWN))
    assert ["dataset", "one|other.npz"] in shown
    assert ["python", "3.11"] in shown
    assert ["mean of 2", "scratch", "transfer", "always left|right"] in shown
    assert ["accuracy, by which errors are measured", "0.6250", "0.7500", "0.6000"] in shown
    assert ["ROC AUC", "0.7500", "0.9375", "0.5000"] in shown


def test_the_section_on_tuned_arms_says_each_answer_and_names_each_arm(
    metrics: dict, rows: list[dict], tmp_path: Path
) -> None:
    metrics["study"] = answer_questions(tabulate(rows), EXPERIMENT, B)
    tuned = metrics["study"]["tuned"] = answer_tuned(made_up(LABELS_MATTER, classes=3), EXPERIMENT, B)
    tuned["recipes"][0] |= {"edge": "highest rate", "extended": 2}
    said = tuned_sentences(tuned)
    captions = dict.fromkeys(("steps", "labels", "pairs", "arms", "pixels", "data", "decomposition", "tuned_labels",
                              "profiles", "tuning"), "A plot")  # fmt: skip
    (tmp_path / "plots").mkdir()
    write_pages(
        tmp_path, "study", captions, metrics=metrics, arms=arms(EXPERIMENT), tuned_arms=tuned_arms(EXPERIMENT),
        said=said, score_names=["accuracy"], rule=RULE, distinction="this from that", runs=9, diverged=0,
    )  # fmt: skip
    written = (tmp_path / "report.md").read_text()
    assert all(sentence in written for sentence in said.values())
    assert "an end of what was tried, so that a better one may lie beyond it: S\\* with 200 images." in written
    shown = Tables((tmp_path / "report.html").read_text()).rows
    named = [row[0] for row in shown]
    assert all(arm.name in named for arm in tuned_arms(EXPERIMENT))  # and not "S" in italics
    (labels,) = [row for row in shown if row[:3] == ["labels", "RLAB*", "T*"]]
    assert labels[-1] == "helps"


def test_a_name_stays_in_its_cell_of_a_models_card(metrics: dict) -> None:
    shown = Tables(to_html(model_card("A", metrics, {"validation_accuracy": 0.9}))).rows
    assert ["dataset", "one|other.npz"] in shown
    assert ["python", "3.11"] in shown


def test_the_classes_of_a_card_are_read_back_whatever_they_are_called(metrics: dict, tmp_path: Path) -> None:
    names = ["💥", "é", "a: b", "no", "'\"", "𒀀", "{{ 1 }}", "---"]
    metrics["data"]["source_classes"] = names
    (tmp_path / "A.md").write_text(model_card("A", metrics, {"validation_accuracy": 0.9}), "utf-8")
    head = read_head(tmp_path / "A.keras")
    assert (head["classes"], head["image_fit"]) == (names, "stretch")
    assert f"classes: {json.dumps(names[:2], ensure_ascii=False)[:-1]}" in (tmp_path / "A.md").read_text("utf-8")


def test_a_runs_report_has_a_row_for_each_pair_with_whatever_it_measured(metrics: dict, tmp_path: Path) -> None:
    metrics |= {"verdict": None, "mcnemar": None, "pairs": {"wins": 1, "n": 2}}
    table = [
        {"seed": 42, "scratch accuracy": 0.8, "scratch recall": None, "error reduction in %": 12.345},
        {"seed": 43, "scratch accuracy": 1.0, "scratch recall": 0.5, "error reduction in %": None},
    ]
    captions = {"data": "The data"}
    write_pages(
        tmp_path, "report", captions, metrics=metrics, table=table, distinction="this from that", again=None, rule=RULE
    )
    shown = Tables((tmp_path / "report.html").read_text()).rows
    assert shown[:3] == [list(table[0]), ["42", "0.8000", "–", "12.3"], ["43", "1.0000", "0.5000", "–"]]
