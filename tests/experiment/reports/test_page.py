"""Reports as their readers see them: the tables of the page that is made of the Markdown."""

import base64
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tasks.experiment.reports.card import model_card, read_head
from tasks.experiment.reports.html import to_html
from tasks.experiment.study.answers import answer_questions, tabulate
from tasks.experiment.study.arms import arms
from tasks.experiment.study.tuned.arms import tuned_arms
from tests.support.by_hand import EXPERIMENT, B
from tests.support.pages import NAMES, TUNED_CAPTIONS, metrics_by_hand, write_report, write_run, write_tuned_study

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
    return metrics_by_hand()


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
    write_report(
        tmp_path, "study", captions, metrics=metrics, arms=arms(EXPERIMENT), score_names=["accuracy"], runs=9,
        diverged=0,
    )  # fmt: skip
    written = (tmp_path / "report.md").read_text()
    assert [arm.name for arm in arms(EXPERIMENT) if f"- *{arm.name}*: {arm.says}." not in written] == []
    shown = Tables((tmp_path / "report.html").read_text()).rows
    for number, name in enumerate(SHOWN):
        assert [name, str(10 + number), "1", "2"] in shown
    assert {(r[0], r[1]) for r in shown if len(r) == 7} >= set(itertools.pairwise(SHOWN))
    assert ["dataset", "one|other.npz"] in shown
    assert ["python", "3.11"] in shown
    assert ["mean of 2", "scratch", "transfer", "always left|right"] in shown
    assert ["accuracy, by which errors are measured", "0.8000", "0.9000", "0.6000"] in shown
    assert ["ROC AUC", "0.8500", "0.9500", "0.5000"] in shown


def test_the_section_on_tuned_arms_says_each_answer_and_names_each_arm(metrics: dict, tmp_path: Path) -> None:
    said = write_tuned_study(tmp_path, dict.fromkeys(TUNED_CAPTIONS, "A plot"), metrics)
    written = (tmp_path / "report.md").read_text()
    assert [sentence for sentence in said.values() if sentence not in written] == []
    assert "an end of what was tried, so that a better one may lie beyond it: S\\* with 200 images." in written
    shown = Tables((tmp_path / "report.html").read_text()).rows
    named = [row[0] for row in shown]
    assert [arm.name for arm in tuned_arms(EXPERIMENT) if arm.name not in named] == []  # and not "S" in italics
    (labels,) = [row for row in shown if row[:3] == ["labels", "RLAB*", "T*"]]
    assert labels[-1] == "helps"
    by_classes = next(line for line in written.splitlines() if line.startswith("Over all"))
    assert re.search(r"lower for \d of 4 pairs of classes, and .* for all 4: \*.+\* for \d\.", by_classes), by_classes


def test_a_study_says_how_far_single_pairs_are_apart(metrics: dict, tmp_path: Path) -> None:
    single = [each["error_reduction"] for each in metrics["replicates"]]
    write_tuned_study(tmp_path, dict.fromkeys(TUNED_CAPTIONS, "A plot"), metrics)
    expected = f"A single pair says little: their error reductions range from {min(single):.1f} to {max(single):.1f} %."
    assert expected in (tmp_path / "report.md").read_text()


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
    table = write_run(tmp_path, {"data": "The data"}, metrics)
    shown = Tables((tmp_path / "report.html").read_text()).rows
    assert shown[:3] == [list(table[0]), ["42", "0.8000", "–", "12.3"], ["43", "1.0000", "0.5000", "–"]]


def test_a_report_says_which_run_it_is_and_leads_to_its_files(metrics: dict, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "A b.keras").touch()
    write_run(tmp_path, {"data": "The data"}, metrics)
    page = (tmp_path / "report.html").read_text()
    assert "<p>2026-01-02 03:04 UTC · run my|run · commit 0123456789ab with changes</p>" in page
    assert "<code>python -m flows.transfer_learning --seed=7\n</code>" in page
    assert '<a href="models/A%20b.keras">models/A b.keras</a>' in page
    assert '<a href="#section-1">' in page
    assert '<h2 id="section-1">' in page
    folded = page[page.index("<details>") : page.index("</details>")]
    assert "<summary>Settings that have their default values</summary>" in folded
    assert "<td>target_samples</td>" in folded
    assert "<td>dataset</td>" not in folded  # it is not the default one
    metrics["run"] |= {"commit": None, "changed": None}
    write_run(tmp_path, {"data": "The data"}, metrics)
    assert "commit none (not a git checkout)" in (tmp_path / "report.md").read_text()


def test_a_page_has_each_plot_in_its_best_form(metrics: dict, tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "pairs.svg").write_text("<svg/>")
    Image.new("RGB", (40, 20)).save(tmp_path / "plots" / "data@2x.png")
    write_run(tmp_path, {"pairs": "The pairs", "data": "The data"}, metrics)
    page = (tmp_path / "report.html").read_text()
    assert f'<img src="data:image/svg+xml;base64,{base64.b64encode(b"<svg/>").decode()}" alt="The pairs"' in page
    (shown,) = re.findall('<img src="data:image/png;base64,[^"]+" alt="The data" width="([0-9]+)"', page)
    assert shown == "20"
    assert "(plots/pairs.png)" in (tmp_path / "report.md").read_text()


def test_no_header_names_two_columns_alike(metrics: dict, tmp_path: Path) -> None:
    write_tuned_study(tmp_path, dict.fromkeys(TUNED_CAPTIONS, "A plot"), metrics)
    headers = re.findall(r"^(\|.+\|)\n\|-", (tmp_path / "report.md").read_text(), re.MULTILINE)
    assert len(headers) > 10
    for header in headers:
        names = [name.strip() for name in header.strip("|").split("|")]
        assert len(set(names)) == len(names), header


def test_a_models_card_has_licence_data_date_and_commit(metrics: dict, tmp_path: Path) -> None:
    (tmp_path / "B_scratch.md").write_text(model_card("B_scratch", metrics, None, "mit"), "utf-8")
    head = read_head(tmp_path / "B_scratch.keras")
    assert (head["license"], head["run"], head["date"][:10]) == ("mit", "my|run", "2026-01-02")
    assert head["commit"] == "0123456789abcdef"
    assert head["model-index"][0]["results"][0]["dataset"]["name"] == "one|other.npz"
    card = model_card("B_scratch", metrics, None)
    assert "license: unknown" in card
    assert "\n- Output: " in card  # an item of its own
