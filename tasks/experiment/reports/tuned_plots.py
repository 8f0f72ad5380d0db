"""The plots of the tuned arms, one per question."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tasks.experiment.reports.figures import COLOURS, Figure, Plot, figure_with_axes
from tasks.experiment.reports.study_plots import PLOTS, ReportedStudy
from tasks.experiment.results.budgets import Band, mean_interval
from tasks.experiment.results.class_pairs import ClassPairs
from tasks.experiment.results.decomposition import Decomposition
from tasks.experiment.results.statistics import Errors
from tasks.experiment.results.tuned import CROSS_VALIDATION, TunedBudgets
from tasks.experiment.study.arms import PAIR, SCRATCH, TRANSFER
from tasks.experiment.study.tuned_answers import TUNED_PAIR

ARM_COLOURS = {
    **COLOURS,
    "S*": COLOURS[SCRATCH],
    "T*": COLOURS[TRANSFER],
    "STAT*": "#b5a642",
    "RLAB*": "#5b8c5a",
    "SELF*": "#e0a487",
    "LPFT*": "#7a5195",
}
PART_COLOURS = {"scale": ARM_COLOURS["STAT*"], "inputs": ARM_COLOURS["RLAB*"], "labels": ARM_COLOURS["T*"]}
PERCENTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50)
FOLLOWED = (*PAIR, *TUNED_PAIR, "STAT*", "RLAB*")  # more lines would lie on top of each other
LABELS = {
    SCRATCH: "scratch, notebook's recipe",
    TRANSFER: "transfer, notebook's recipe",
    "S*": "S*: scratch, tuned",
    "T*": "T*: transfer, tuned",
    "STAT*": "STAT*: random layers of A's scale",
    "RLAB*": "RLAB*: A trained on permuted labels",
    "SELF*": "SELF*: self-transfer",
    "LPFT*": "LPFT*: probe, then fine-tuned",
}


@dataclass(frozen=True)
class ReportedTuned(ReportedStudy):
    """With all its tables, by name: runs, curves and tuning."""

    tables: dict[str, pd.DataFrame]


# Another plot is another line; page.tuned.md.j2 says where it stands.
TUNED_PLOTS: dict[str, Plot[ReportedTuned]] = {
    **PLOTS,
    "steps": Plot(
        "Test error after so many SGD steps, each arm at its own rate: mean over seeds and 95 % band; a dot where a "
        "tuned arm's recipe stops",
        lambda report: draw_steps(own_rows(report, report.tables["curves"]), report.tables["runs"]),
    ),
    "decomposition": Plot(
        "What the gain over scratch consists of, in points of the test error, with 95 % intervals",
        lambda report: draw_decompositions(report.metrics["study"]["tuned"]["decomposition"]),
    ),
    "tuned_labels": Plot(
        "Test error against the number of labelled images, tuned for each number: mean and 95 % band; a filled dot "
        "where transfer helps or hurts",
        lambda report: draw_error_by_budget(report.metrics["study"]["tuned"]["budgets"]),
    ),
    "profiles": Plot(
        "Performance profiles over all pairs of classes, both sides tuned, with 95 % bands: higher is better",
        lambda report: (
            draw_profiles(report.metrics["study"]["tuned"]["classes"])
            if "classes" in report.metrics["study"]["tuned"]
            else None
        ),
    ),
    "tuning": Plot(
        "Error in cross-validation against the learning rate, after the best number of epochs; a dot at the best",
        lambda report: draw_tuning(own_rows(report, report.tables["tuning"])),
    ),
}


def own_rows(report: ReportedStudy, table: pd.DataFrame) -> pd.DataFrame:
    """Of the experiment's own classes and number of images."""
    return table.merge(report.runs[["classes", "samples"]].drop_duplicates())


def draw_steps(curves: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Test error against steps, both on logarithmic scales."""
    figure, (ax,) = figure_with_axes(1, "When has training finished? Test error by number of SGD steps", 8, 4.6)
    for arm in FOLLOWED:
        rows = curves[(curves.arm == arm) & (curves.steps > 0)]
        if not len(rows):
            continue
        errors = 100 * rows.pivot(index="seed", columns="steps", values="error").dropna(axis=1)
        steps, (mean, low, high) = errors.columns.to_numpy(), _bands(errors.to_numpy())
        colour, style = ARM_COLOURS[arm], "--" if arm in PAIR else "-"
        ax.plot(steps, mean, style, color=colour, linewidth=2, label=LABELS[arm])
        ax.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
        own = runs.merge(rows[["classes", "samples", "arm", "chosen_by"]].drop_duplicates())
        stop = own.epochs.median() * (rows.steps / rows.epochs).median()
        ax.plot(stop, np.interp(np.log(stop), np.log(steps), mean), "s" if arm in PAIR else "o", color=colour)
        if arm == SCRATCH:
            ax.axvline(stop, color="grey", linewidth=1, linestyle=":")
            ax.annotate(
                f"the notebook's {stop:,.0f} steps", (stop, 0.97), xycoords=("data", "axes fraction"), xytext=(4, 0),
                textcoords="offset points", fontsize=8, va="top",
            )  # fmt: skip
    ax.set(xscale="log", xlabel="SGD steps on task B", ylabel="test error in %")
    ax.set_xticks(decades := [10.0**power for power in range(1, 5)], [f"{steps:,.0f}" for steps in decades])
    _percent_axis(ax)
    ax.legend(loc="upper right", fontsize=8)
    return figure


def draw_decompositions(found: dict[str, Decomposition]) -> Figure:
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
    shared = [limit for ax in axes for limit in ax.get_ylim()]
    for ax in axes:
        ax.set(ylim=(min(shared), max(shared)))
    axes[0].set(ylabel="points of the test error")
    return figure


def draw_error_by_budget(found: TunedBudgets) -> Figure:
    """Error of tuned scratch and tuned transfer by number of images, both on logarithmic scales."""
    figure, (ax,) = figure_with_axes(1, "From how few labels on does transfer pay? Both sides tuned", 8, 4.4)
    budgets = [point["samples"] for point in found["curve"]]
    sides: dict[str, list[Band]] = {
        "S*": [point["scratch"] for point in found["curve"]], "T*": [point["transfer"] for point in found["curve"]]
    }  # fmt: skip
    claimed = [point["verdict"] in ("helps", "hurts") for point in found["curve"]]
    for arm, side in sides.items():
        mean, low, high = np.array([[b["accuracy"], b["high"], b["low"]] for b in side], float).T  # None: NaN
        colour = ARM_COLOURS[arm]
        ax.plot(budgets, 100 * (1 - mean), color=colour, label=LABELS[arm])
        ax.fill_between(budgets, 100 * (1 - low), 100 * (1 - high), color=colour, alpha=0.2, linewidth=0)
        for n, error, filled in zip(budgets, 100 * (1 - mean), claimed, strict=True):
            ax.plot(n, error, "o", color=colour, markerfacecolor=colour if filled else "white")
    ax.set(xscale="log", xlabel="labelled images of task B", ylabel="test error in %")
    ax.set_xticks(budgets, [f"{n:,}" for n in budgets])
    _percent_axis(ax)
    ax.minorticks_off()
    ax.legend(loc="upper right")
    return figure


def draw_profiles(found: ClassPairs) -> Figure:
    """Part of the runs with at most each error."""
    figure, (ax,) = figure_with_axes(1, f"All {len(found['single'])} pairs of classes, both sides tuned", 8, 4.2)
    for profile in found["profiles"]:
        colour = ARM_COLOURS[profile["arm"]]
        ax.step(profile["errors"], profile["runs"], where="post", color=colour, label=LABELS[profile["arm"]])
        ax.fill_between(profile["errors"], profile["low"], profile["high"], step="post", color=colour, alpha=0.2)
    ax.set(xlabel="test error in %", ylabel="runs with at most this error, in %", ylim=(0, 101))
    ax.legend(loc="lower right")
    return figure


def draw_tuning(tuning: pd.DataFrame) -> Figure:
    """The best error over epochs by rate, mean over tuning seeds."""
    figure, (ax,) = figure_with_axes(1, "Which learning rate? Error in cross-validation", 8, 4.2)
    rows = tuning[tuning.chosen_by == CROSS_VALIDATION].dropna(subset="learning_rate")
    means = rows.groupby(["arm", "learning_rate", "epochs"]).error.mean()
    best = 100 * means.groupby(["arm", "learning_rate"]).min()
    for arm, colour in ARM_COLOURS.items():
        if arm in best.index.get_level_values("arm"):
            line = best[arm]
            ax.plot(line.index, line, color=colour, label=LABELS[arm])
            ax.plot(line.idxmin(), line.min(), "o", color=colour)
    ax.set(xscale="log", xlabel="learning rate", ylabel="error in cross-validation in %")
    ax.set_xticks(rates := sorted(rows.learning_rate.unique()), [f"{rate:.1g}" for rate in rates])
    _percent_axis(ax)
    ax.legend(fontsize=8)
    return figure


def _bands(errors: Errors) -> tuple[Errors, Errors, Errors]:
    """Mean, low and high of each column, shape (columns,); NaN where there is no interval. errors: (seeds, columns)."""
    limits = [mean_interval(column) or (np.nan, np.nan) for column in errors.T]
    low, high = np.array(limits).T
    return errors.mean(0), low, high


def _percent_axis(ax: Any) -> None:
    """The y axis on a logarithmic scale, with plain numbers."""
    ax.set(yscale="log")
    low, high = ax.get_ylim()
    shown = [percent for percent in PERCENTS if low <= percent <= high]
    ax.set_yticks(shown, [f"{percent:g}" for percent in shown])
    ax.minorticks_off()
