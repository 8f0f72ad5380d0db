"""The plots of the tuned arms, one per question."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.experiment.reports.figures import Figure, Plot, figure_with_axes
from tasks.experiment.reports.phrases import by_metric
from tasks.experiment.reports.study.plots import PLOTS, ReportedStudy, name_budgets
from tasks.experiment.reports.study.training_plots import colour_of, draw_steps, draw_tuning, label_of, percent_axis
from tasks.experiment.results.budgets import Band
from tasks.experiment.results.class_pairs import ClassPairs
from tasks.experiment.results.decomposition import Decomposition
from tasks.experiment.results.tuned import TunedBudgets
from tasks.experiment.scores import Metric
from tasks.experiment.study.tuned.answers import TUNED_CHAIN

PART_COLOURS = {adds: colour_of(arm) for arm, adds in TUNED_CHAIN.items()}


@dataclass(frozen=True)
class ReportedTuned(ReportedStudy):
    """With all its tables, by name: runs, curves and tuning."""

    tables: dict[str, pd.DataFrame]


# Another plot is another line; page.tuned.md.j2 says where it stands.
TUNED_PLOTS: dict[str, Plot[ReportedTuned]] = {
    **PLOTS,
    "steps": Plot(
        "Test error after so many SGD steps, each arm at its own rate: mean over seeds and 95 % band; a dot where a "
        "tuned arm's recipe stops, a square where the notebook's does",
        lambda report: draw_steps(own_rows(report, report.tables["curves"]), report.tables["runs"], report.metric),
    ),
    "decomposition": Plot(
        "What the gain over scratch consists of, in points of the test error, with 95 % intervals",
        lambda report: draw_decompositions(report.metrics["study"]["tuned"]["decomposition"], report.metric),
    ),
    "tuned_labels": Plot(
        "Test error against the number of labelled images, tuned for each number: mean and 95 % band; a filled dot "
        "where transfer helps or hurts",
        lambda report: draw_error_by_budget(report.metrics["study"]["tuned"]["budgets"], report.metric),
    ),
    "profiles": Plot(
        "Performance profiles over all pairs of classes, both sides tuned, with 95 % bands: higher is better",
        lambda report: (
            draw_profiles(report.metrics["study"]["tuned"]["classes"], report.metric)
            if "classes" in report.metrics["study"]["tuned"]
            else None
        ),
    ),
    "tuning": Plot(
        "Error in cross-validation against the learning rate, after the best number of epochs; a dot at the chosen one",
        lambda report: draw_tuning(
            own_rows(report, report.tables["tuning"]),
            own_rows(report, pd.DataFrame(report.metrics["study"]["tuned"]["recipes"])),
        ),
    ),
}


def own_rows(report: ReportedStudy, table: pd.DataFrame) -> pd.DataFrame:
    """Of the experiment's own classes and number of images."""
    return table.merge(report.runs[["classes", "samples"]].drop_duplicates())


def draw_decompositions(found: dict[str, Decomposition], metric: Metric) -> Figure:
    """By either recipe: the whole gain, and its parts, each from where the one before it ends."""
    figure, axes = figure_with_axes(2, "What does the gain consist of?", width=4.4, height=4)
    for ax, (name, title) in zip(axes, (("notebook", "the notebook's recipe"), ("tuned", "tuned")), strict=True):
        parts = found[name]["parts"]
        bars = [("whole gain", found[name]["total"]["points"], "#555555")]
        bars += [(part["part"], part["points"], PART_COLOURS.get(part["part"], "#7a5195")) for part in parts]
        end = 0.0
        for place, (_, points, colour) in enumerate(bars):
            height, low, high = np.array([points["estimate"], points["low"], points["high"]], float)  # None: NaN
            start = end if place > 1 else 0.0
            ax.bar(place, height, bottom=start, color=colour, width=0.6, alpha=0.85)
            ax.plot([place, place], [start + low, start + high], color="black", linewidth=1.5)
            end = start + height
            if place:
                ax.plot([place - 0.3, place + 1], [end, end], color="grey", linewidth=0.8, linestyle=":")
        ax.axhline(0, color="black", linewidth=1)
        ax.set(
            title=title,
            xlim=(-0.5, len(bars) - 0.5),
            xticks=range(len(bars)),
            xticklabels=[name.replace(" and ", "\nand ") for name, *_ in bars],
        )
    limits = [limit for ax in axes for limit in ax.get_ylim()]
    margin = (max(limits) - min(limits)) / 20
    for ax in axes:
        ax.set(ylim=(min(limits) - margin, max(limits) + margin))
    axes[0].set(ylabel=by_metric("points of the test error", metric))
    return figure


def draw_error_by_budget(found: TunedBudgets, metric: Metric) -> Figure:
    """Error of tuned scratch and tuned transfer by number of images, both on logarithmic scales."""
    figure, (ax,) = figure_with_axes(1, "From how few labels on does transfer pay? Both sides tuned", 8, 4.4)
    budgets = [point["samples"] for point in found["curve"]]
    sides: dict[str, list[Band]] = {
        "S*": [point["scratch"] for point in found["curve"]], "T*": [point["transfer"] for point in found["curve"]]
    }  # fmt: skip
    claimed = [point["verdict"] in ("helps", "hurts") for point in found["curve"]]
    for arm, side in sides.items():
        mean, low, high = np.array([[b["accuracy"], b["high"], b["low"]] for b in side], float).T  # None: NaN
        colour = colour_of(arm)
        ax.plot(budgets, 100 * (1 - mean), color=colour, label=label_of(arm))
        ax.fill_between(budgets, 100 * (1 - low), 100 * (1 - high), color=colour, alpha=0.2, linewidth=0)
        for n, error, filled in zip(budgets, 100 * (1 - mean), claimed, strict=True):
            ax.plot(n, error, "o", color=colour, markerfacecolor=colour if filled else "white")
    ax.set(xscale="log", xlabel="labelled images of task B", ylabel=by_metric("test error in %", metric))
    name_budgets(ax, budgets)
    percent_axis(ax)
    ax.minorticks_off()
    ax.legend(loc="upper right")
    return figure


def draw_profiles(found: ClassPairs, metric: Metric) -> Figure:
    """Part of the runs with at most each error."""
    figure, (ax,) = figure_with_axes(1, f"All {len(found['single'])} pairs of classes, both sides tuned", 8, 4.2)
    for profile in found["profiles"]:
        colour = colour_of(profile["arm"])
        ax.step(profile["errors"], profile["runs"], where="post", color=colour, label=label_of(profile["arm"]))
        ax.fill_between(profile["errors"], profile["low"], profile["high"], step="post", color=colour, alpha=0.2)
    ax.set(xlabel=by_metric("test error in %", metric), ylabel="runs with at most this error, in %", ylim=(0, 101))
    ax.legend(loc="lower right")
    return figure
