"""The plots of the study's report: one per question, drawn from its answer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tasks.experiment.reports.figures import COLOURS, Figure, Plot, figure_with_axes
from tasks.experiment.reports.lettering import label
from tasks.experiment.reports.phrases import by_metric
from tasks.experiment.reports.plots import DATA, PAIRS, Reported
from tasks.experiment.results.comparisons import ArmComparison, BudgetComparisons, ClassComparison
from tasks.experiment.results.statistics.verdicts import Claim
from tasks.experiment.scores import Metric
from tasks.experiment.study.arms import PAIR, SCRATCH, TRANSFER

ROOM = 1.4  # between named numbers of images, as a ratio

CLAIM_COLOURS: dict[Claim, str] = {
    "helps": "#2a6f97",
    "hurts": "#c0603a",
    "can't tell": "#888888",
    "too small to matter": "#b5a642",
}


@dataclass(frozen=True)
class ReportedStudy(Reported):
    """runs: of the experiment's own classes and number of images, on either kind of pixels."""

    runs: pd.DataFrame


# Another plot is another line; page.study.md.j2 says where it stands.
PLOTS: dict[str, Plot[ReportedStudy]] = {
    "pairs": PAIRS,
    "arms": Plot(
        "Error reduction of each arm against scratch, with its 95 % interval",
        lambda report: draw_arms(report.metrics["study"]["arms"]["against_scratch"]),
    ),
    "labels": Plot(
        "Test accuracy against the number of labelled images of task B",
        lambda report: draw_budgets(report.metrics["study"]["labels"], report.metric),
    ),
    "pixels": Plot(
        "Test accuracy of each pair on standardized and on raw pixels",
        lambda report: draw_pixels(report.runs, report.metric) if "pixels" in report.metrics["study"] else None,
    ),
    "data": DATA,
    "classes": Plot(
        "Error reduction for each pair of target classes; a dot: the interval holds 0",
        lambda report: (
            draw_classes(report.metrics["study"]["classes"], report.data.classes)
            if "classes" in report.metrics["study"]
            else None
        ),
    ),
}


def draw_arms(arms: list[ArmComparison]) -> Figure:
    """Error reduction of each arm against scratch, with its interval."""
    figure, (ax,) = figure_with_axes(1, "What helps? Error reduction against scratch", width=8, height=4)
    for row, arm in enumerate(reversed(arms)):
        result, colour = arm["error_reduction"], CLAIM_COLOURS[arm["verdict"]]
        if result["low"] is not None:
            ax.plot([result["low"], result["high"]], [row, row], color=colour, linewidth=3, solid_capstyle="round")
        if result["estimate"] is not None:
            ax.plot(result["estimate"], row, "o", color=colour, markersize=8)
    for claim, colour in CLAIM_COLOURS.items():
        if any(arm["verdict"] == claim for arm in arms):
            ax.plot([], [], "o-", color=colour, label=claim)
    ax.axvline(0, color="black", linewidth=1)
    ax.set(yticks=range(len(arms)), yticklabels=[arm["arm"] for arm in reversed(arms)])
    ax.set(xlabel="error reduction in %, with 95 % interval")
    figure.legend(loc="outside lower center", ncols=len(CLAIM_COLOURS))
    return figure


def draw_budgets(found: BudgetComparisons, metric: Metric) -> Figure:
    """Accuracy by budget, and the budget at which scratch is as good as transfer at the experiment's number."""
    figure, (ax,) = figure_with_axes(1, "How many labelled images is transfer worth?", width=8, height=4.4)
    curve, at = found["curve"], found["at"]
    budgets = [point["samples"] for point in curve]
    bands = {SCRATCH: [point["scratch"] for point in curve], TRANSFER: [point["transfer"] for point in curve]}
    for arm, band in bands.items():
        mean, low, high = np.array([[b["accuracy"], b["low"], b["high"]] for b in band], float).T  # None: NaN
        ax.plot(budgets, 100 * mean, "o-", color=COLOURS[arm], label=arm)
        ax.fill_between(budgets, 100 * low, 100 * high, color=COLOURS[arm], alpha=0.2, linewidth=0)
    goal = next(100 * point["transfer"]["accuracy"] for point in curve if point["samples"] == at)
    equal = found["equivalent"]
    ax.annotate("", (equal["estimate"], goal), (at, goal), arrowprops={"arrowstyle": "->", "color": "black"})
    if equal["low"] is not None:
        ax.plot([equal["low"], equal["high"]], [goal, goal], color="black", linewidth=4, alpha=0.3)
    ax.plot([], [], color="black", linewidth=1, label=f"transfer at {at:,} = scratch at {equal['estimate']:,.0f}")
    ax.set(xscale="log", xlabel="labelled images of task B")
    ax.set(ylabel=by_metric("test accuracy in %, mean and 95 % band", metric))
    name_budgets(ax, budgets)
    ax.minorticks_off()
    ax.legend(loc="lower right")
    return figure


def name_budgets(ax: Any, budgets: list[int]) -> None:
    """Ticks at numbers of images on a logarithmic axis, with names where there is room for them."""
    named: list[int] = []
    for n in budgets:
        if not named or n >= ROOM * named[-1]:
            named.append(n)
    ax.set_xticks(budgets, [f"{n:,}" if n in named else "" for n in budgets])


def draw_pixels(runs: pd.DataFrame, metric: Metric) -> Figure:
    """Test accuracy of each run on standardized and on raw pixels."""
    figure, axes = figure_with_axes(2, "Raw or standardized pixels? One line per seed")
    names = {"standardize": "standardized", "none": "raw"}
    for ax, (kind, name) in zip(axes, names.items(), strict=True):
        wide = 100 * runs[runs.normalization == kind].pivot(index="seed", columns="arm", values=metric)
        pairs = wide[list(PAIR)].to_numpy()
        for scratch, transfer in pairs:
            colour = COLOURS[TRANSFER if transfer > scratch else SCRATCH]
            ax.plot([0, 1], [scratch, transfer], color=colour, alpha=0.5)
        ax.plot([0, 1], pairs.mean(0), "o-", color="black", linewidth=3, label="mean")
        ax.set(title=f"{name} pixels", xticks=[0, 1], xticklabels=PAIR, xlim=(-0.2, 1.2))
    lowest = 100 * runs[metric].min()
    for ax in axes:
        ax.set(ylim=(lowest - 1, 100))
    axes[0].set(ylabel=by_metric("test accuracy in %", metric))
    axes[0].legend(loc="lower right")
    return figure


def draw_classes(pairs: list[ClassComparison], names: tuple[str, ...]) -> Figure:
    """Error reduction for each pair of target classes; a dot marks those whose interval holds 0."""
    figure, (ax,) = figure_with_axes(1, "For which classes? Error reduction in %", width=8, height=7)
    grid = np.full((len(names), len(names)), np.nan)
    for pair in pairs:
        result = pair["error_reduction"]
        if result["estimate"] is None:
            continue
        cells = [(names.index(pair["negative"]), names.index(pair["positive"]))]
        cells.append(cells[0][::-1])
        unsure = result["low"] is None or result["high"] is None or result["low"] <= 0 <= result["high"]
        colour = "white" if abs(result["estimate"]) > 60 else "black"
        for row, column in cells:
            grid[row, column] = result["estimate"]
            ax.text(column, row, f"{round(result['estimate'])}", ha="center", va="center", color=colour)
            if unsure:
                ax.plot(column, row + 0.3, "o", markersize=4, color=colour)
    shown = ax.imshow(grid, cmap="RdBu", vmin=-100, vmax=100, interpolation="none")
    figure.colorbar(shown, shrink=0.8, extend="min", label="error reduction in %  (• interval holds 0)")
    labels = [label(name) for name in names]
    ax.set(yticks=range(len(names)), yticklabels=labels, xticks=range(len(names)))
    ax.set_xticklabels(labels, rotation=45, ha="right")
    return figure
