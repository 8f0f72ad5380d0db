from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks.experiment.reports.figures import draw_plots
from tasks.experiment.reports.study.plots import PLOTS
from tasks.experiment.reports.study.training_plots import draw_steps, draw_tuning
from tasks.experiment.reports.study.tuned_plots import (
    TUNED_PLOTS,
    ReportedTuned,
    draw_decompositions,
    draw_error_by_budget,
)
from tasks.experiment.study.answers import of_experiment
from tasks.experiment.study.tuned.answers import answer_tuned
from tests.support.by_hand import EXPERIMENT, B
from tests.support.tuned_worlds import FEW_LABELS_PAY, made_up

TABLES = made_up(FEW_LABELS_PAY, seeds=5, classes=2)


@pytest.fixture(scope="module")
def answers() -> dict:
    return answer_tuned(TABLES, EXPERIMENT, B)


def test_a_study_with_tuned_arms_has_a_plot_for_each_question(answers: dict, tmp_path: Path) -> None:
    report = ReportedTuned(
        B.data,
        {"study": {"tuned": answers}, "experiment": {"metric": "accuracy"}},
        of_experiment(TABLES.runs, EXPERIMENT, B),
        vars(TABLES),
    )
    plots = {name: plot for name, plot in TUNED_PLOTS.items() if name not in PLOTS}
    folder = tmp_path / "plots"
    assert list(draw_plots(plots, report, folder)) == ["steps", "decomposition", "tuned_labels", "profiles", "tuning"]
    assert [name for name in plots if (folder / f"{name}.png").stat().st_size <= 5_000] == []


def test_the_notebooks_steps_are_marked_where_its_curves_end() -> None:
    curves = TABLES.curves[TABLES.curves.samples == 200]
    (ax,) = draw_steps(curves, TABLES.runs, "accuracy").axes
    (marked,) = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert set(marked.get_xdata()) == {140}
    ends = {line.get_label(): line.get_xdata()[-1] for line in ax.lines if not line.get_label().startswith("_")}
    assert ends["scratch, notebook's recipe"] == 140
    assert ends["S*: scratch, tuned"] == 35_000
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_the_parts_of_a_gain_lead_from_zero_to_the_whole(answers: dict) -> None:
    figure = draw_decompositions(answers["decomposition"], "accuracy")
    for ax, name in zip(figure.axes, ("notebook", "tuned"), strict=True):
        whole, *parts = [(bar.get_y(), bar.get_height()) for bar in ax.patches]
        ends = np.cumsum([height for _, height in parts])
        assert [start for start, _ in parts] == pytest.approx([0, *ends[:-1]])
        assert whole == pytest.approx((0, ends[-1]))
        assert ends[-1] == pytest.approx(answers["decomposition"][name]["total"]["points"]["estimate"])
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()  # so that their sizes can be compared


def test_budgets_are_filled_where_something_is_claimed(answers: dict) -> None:
    (ax,) = draw_error_by_budget(answers["budgets"], "accuracy").axes
    claimed = {point["samples"]: point["verdict"] in ("helps", "hurts") for point in answers["budgets"]["curve"]}
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(dots) == 2 * len(claimed)
    for dot in dots:
        assert (dot.get_markerfacecolor() != "white") == claimed[dot.get_xdata()[0]]


def test_the_chosen_rates_are_marked() -> None:
    (ax,) = (figure := draw_tuning(TABLES.tuning, pd.DataFrame(TABLES.recipes))).axes
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [(dot.get_xdata().item(), dot.get_ydata().item()) for dot in dots] == [(0.1, pytest.approx(4))] * 6
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named[:2] == ["S*: scratch, tuned", "T*: transfer, tuned"]
