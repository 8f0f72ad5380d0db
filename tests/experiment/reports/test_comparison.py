"""Runs made by hand, and what comparing them says."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.compare import main
from tasks.experiment.reports.comparison import compare_runs, comparison_page, difference_sentence
from tasks.experiment.reports.comparison_plots import draw_answers
from tasks.experiment.results.pairs import replicate, summarize
from tasks.experiment.settings import Experiment

HARD = np.linspace(0.5, 1.5, 9)  # seeds, from easy to hard


def metrics(scratch: float, transfer: float, first: int = 42, hard: Any = HARD, **changes: Any) -> dict[str, Any]:
    """Of a run whose test errors are these, times how hard each seed is."""
    pairs = [
        replicate(first + i, {"accuracy": 1 - scratch * h}, {"accuracy": 1 - transfer * h})  # type: ignore[typeddict-item]
        for i, h in enumerate(hard)
    ]
    return {
        **summarize(pairs), "answer": f"Transfer: {transfer}.", "experiment": Experiment().model_dump(mode="json"),
        "environment": {"keras": "3.15"}, "code": {"tasks.train": "aa", "tasks.split": "bb"},
        "data": {"images": {"B": {"test": 9}}, "image_shape": [28, 28], "target_classes": ["T-shirt/top", "Pullover"]},
    } | changes  # fmt: skip


def test_the_difference_is_paired_by_seed() -> None:
    """Both runs' errors vary together from seed to seed: the difference hardly does."""
    (found,) = compare_runs({"mlp": metrics(0.2, 0.15), "cnn": metrics(0.1, 0.05)})["differences"]
    assert (found["points"], found["low"], found["high"]) == pytest.approx((25, 25, 25))
    assert len(found["seeds"]) == 9
    assert difference_sentence(found) == (
        "cnn against mlp: error reduction 25.0 points higher (95 % interval 25.0 … 25.0, 9 seeds paired)."
    )


def test_the_seeds_that_both_have_are_paired() -> None:
    """Of 42 to 50 and 48 to 56 these are three, as hard in one run as in the other."""
    (found,) = compare_runs({
        "one": metrics(0.2, 0.15), "other": metrics(0.2, 0.18, first=48, hard=np.roll(HARD, 3))
    })["differences"]  # fmt: skip
    assert found["seeds"] == [48, 49, 50]
    assert found["points"] == pytest.approx(-15)
    assert difference_sentence(found).startswith("other against one: error reduction 15.0 points lower (95 % interval")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (metrics(0.2, 0.1, first=100), "other against one: no difference of error reductions, since they have no seed"),
        (metrics(0.0, 0.1), "since training from scratch made no test error in other."),
        (metrics(0.2, 0.1, hard=HARD[:2]), "25.0 points higher (2 seeds paired; no interval: it takes 3 seeds"),
    ],
)
def test_what_cannot_be_paired_is_said(other: dict, says: str) -> None:
    (found,) = compare_runs({"one": metrics(0.2, 0.15), "other": other})["differences"]
    assert says in difference_sentence(found)
    assert found["low"] is found["high"] is None


def test_an_interval_that_holds_zero_is_no_difference() -> None:
    uneven = metrics(0.2, 0.15)
    for pair, h in zip(uneven["replicates"], HARD[::-1], strict=True):
        pair["transfer"]["accuracy"] = 1 - 0.14 * h
    (found,) = compare_runs({"one": metrics(0.2, 0.15), "other": uneven})["differences"]
    assert found["low"] < 0 < found["high"]
    assert "which these seeds can't tell from none" in difference_sentence(found)


def test_only_what_differs_is_listed() -> None:
    """A setting that a version did not have yet had its default; a class is the same by number and by name."""
    other = metrics(0.2, 0.1, environment={"keras": "3.16"}, code={"tasks.train": "cc", "tasks.split": "bb"})
    other["experiment"] = Experiment(target_samples=100, target_classes=(0, 2)).model_dump(mode="json")
    del other["experiment"]["tuning"]
    found = compare_runs({"one": metrics(0.2, 0.1), "other": other})
    assert found["settings"] == {"target_samples": [200, 100]}
    assert found["versions"] == {"keras": ["3.15", "3.16"]}
    assert found["code"] == {"tasks.train": ["aa", "cc"]}
    assert found["data"] == {}
    same = compare_runs({"one": metrics(0.2, 0.1), "same": metrics(0.2, 0.1)})
    assert [same[part] for part in ("settings", "versions", "code", "data") if same[part]] == []
    assert "None: all settings and seeds are the same." in comparison_page(same)


def test_of_studies_arms_stand_side_by_side_and_what_is_left_out_is_said() -> None:
    arms = [{"arm": "probe", "error_reduction": metrics(0.2, 0.1)["error_reduction"]}]
    study = metrics(0.2, 0.1, study={"arms": {"against_scratch": arms}}, resample_target=True)
    found = compare_runs({"one": study, "other": study})
    assert [each["estimate"] for each in found["arms"]["probe: error reduction"]] == pytest.approx([50, 50])
    assert [sentence for sentence in found["left_out"] if "numbers of labelled images" in sentence], found["left_out"]
    mixed = compare_runs({"run": metrics(0.2, 0.1), "study": study})
    assert mixed["settings"]["flow"] == ["transfer-learning", "transfer-study"]
    assert mixed["arms"] == {}
    assert "Arms are not compared: only study is a study." in mixed["left_out"]


def test_the_plot_has_a_row_per_run_and_no_interval_where_there_is_none() -> None:
    runs = {"mlp": metrics(0.2, 0.15), "cnn": metrics(0.1, 0.05), "few": metrics(0.2, 0.1, hard=HARD[:2])}
    errors, reductions, differences = draw_answers(compare_runs(runs)).axes
    scratch, transfer = errors.lines
    assert scratch.get_xdata() == pytest.approx([20, 10, 20 * HARD[:2].mean()])
    assert transfer.get_xdata() == pytest.approx([15, 5, 10 * HARD[:2].mean()])
    assert errors.get_ylim()[0] > errors.get_ylim()[1], "run 1 is not on top"
    _, *lines = reductions.lines  # at 0
    assert [line.get_xdata()[0] for line in lines[1::2]] == pytest.approx([25, 50, 50])
    _, *lines = differences.lines
    bars, points = lines[::2], lines[1::2]
    assert [point.get_xdata()[0] for point in points] == pytest.approx([0, 25, 25])
    assert bars[1].get_xdata() == pytest.approx([25, 25])
    assert np.isnan([bars[0].get_xdata(), bars[2].get_xdata()]).all()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs on the shelf, `<b>old` and `new`, the latest."""
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    for day, (name, transfer) in enumerate({"<b>old": 0.15, "new": 0.1}.items()):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps(metrics(0.2, transfer)))
        (folder / "run.json").write_text(json.dumps({"time": f"2026-01-0{day + 1}", "artifacts": []}))
    (tmp_path / "latest").symlink_to("runs/new")
    return tmp_path


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *words])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_as_text_page_and_json(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert command(monkeypatch, "latest~1", "latest", "--html", str(root / "page.html")) == 0
    said = capsys.readouterr()
    assert "new against <b>old: error reduction 25.0 points higher" in said.out
    assert said.err == ""
    page = (root / "page.html").read_text()
    assert "new against &lt;b&gt;old: error reduction 25.0 points higher" in page
    assert "<b>" not in page
    assert page.count('src="data:image/svg+xml') == 1
    assert command(monkeypatch, str(root / "runs" / "<b>old"), "new", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in found["runs"]] == ["<b>old", "new"]
    assert found["differences"][0]["points"] == pytest.approx(25)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["latest"], "give two runs or more"),
        (["latest", "new"], "new is run new, which was already given"),
        (["latest", "latest~9"], "there is no run latest~9: of finished runs there are only 3 up to the latest one"),
        (["latest", "never"], "there is no run never: give a name from"),
        (["latest", "."], "is not the folder of a finished run"),
        (["latest", "empty"], "said too little in metrics.json"),
        (["latest", "<b>old", "--html", "missing/page.html"], "missing/page.html can't be written: No such file"),
    ],
)
def test_what_is_refused_in_a_sentence(
    words: list[str], says: str, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "runs" / "empty").mkdir()
    (root / "runs" / "empty" / "metrics.json").write_text("{}")
    monkeypatch.chdir(root)
    assert command(monkeypatch, *words) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_errors_by_different_metrics_are_not_subtracted() -> None:
    other = metrics(0.2, 0.1)
    other["experiment"] = other["experiment"] | {"metric": "balanced_accuracy"}
    for pair in other["replicates"]:
        for arm in ("scratch", "transfer"):
            pair[arm]["balanced_accuracy"] = pair[arm]["accuracy"]
    (found,) = compare_runs({"one": metrics(0.2, 0.15), "other": other})["differences"]
    assert "since one measures accuracy and the other balanced accuracy." in difference_sentence(found)
