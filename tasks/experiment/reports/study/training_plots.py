"""The plots of how tuned arms are trained: test error by number of steps, and error in cross-validation by rate."""

from typing import Any

import numpy as np
import pandas as pd

from tasks.experiment.reports.figures import COLOURS, Figure, figure_with_axes
from tasks.experiment.reports.phrases import by_metric
from tasks.experiment.results.budgets import mean_interval
from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.tuned import CROSS_VALIDATION
from tasks.experiment.scores import Metric
from tasks.experiment.study.arms import PAIR, SCRATCH, TRANSFER
from tasks.experiment.study.tuned.answers import TUNED_CHAIN, TUNED_PAIR

ARM_COLOURS = {
    **COLOURS,
    "S*": COLOURS[SCRATCH],
    "T*": COLOURS[TRANSFER],
    "STAT*": "#b5a642",
    "RLAB*": "#5b8c5a",
    "SELF*": "#e0a487",
    "LPFT*": "#7a5195",
}
PERCENTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50)
FOLLOWED = dict.fromkeys((*PAIR, *TUNED_PAIR, *TUNED_CHAIN))  # more lines would lie on top of each other
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


def colour_of(arm: str) -> str:
    return ARM_COLOURS.get(arm, "#8c8c8c")


def label_of(arm: str) -> str:
    return LABELS.get(arm, arm)


def draw_steps(curves: pd.DataFrame, runs: pd.DataFrame, metric: Metric) -> Figure:
    """Test error against steps, both on logarithmic scales."""
    figure, (ax,) = figure_with_axes(
        1, by_metric("When has training finished? Test error by number of SGD steps", metric), 8, 4.6
    )
    for arm in FOLLOWED:
        rows = curves[(curves.arm == arm) & (curves.steps > 0)]
        if not len(rows):
            continue
        errors = 100 * rows.pivot(index="seed", columns="steps", values="error").dropna(axis=1)
        steps, (mean, low, high) = errors.columns.to_numpy(), _bands(errors.to_numpy())
        colour, style = colour_of(arm), "--" if arm in PAIR else "-"
        ax.plot(steps, mean, style, color=colour, linewidth=2, label=label_of(arm))
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
    ax.set(xscale="log", xlabel="SGD steps on task B", ylabel=by_metric("test error in %", metric))
    first, last = ax.get_xlim()
    decades = [10**power for power in range(7) if first <= 10**power <= last]
    ax.set_xticks(decades, [f"{steps:,}" for steps in decades])
    percent_axis(ax)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure


def draw_tuning(tuning: pd.DataFrame, recipes: pd.DataFrame) -> Figure:
    """The best error over epochs by rate, mean over tuning seeds, and the rates that were chosen."""
    figure, (ax,) = figure_with_axes(1, "Which learning rate? Error in cross-validation", 8, 4.6)
    rows, chosen = (
        table[table.chosen_by == CROSS_VALIDATION].dropna(subset="learning_rate") for table in (tuning, recipes)
    )
    means = rows.groupby(["arm", "learning_rate", "epochs"]).error.mean()
    best = 100 * means.groupby(["arm", "learning_rate"]).min()
    tuned = best.index.unique("arm")
    for arm in dict.fromkeys((*ARM_COLOURS, *tuned)):
        if arm in tuned:
            colour = colour_of(arm)
            ax.plot(best[arm].index, best[arm], color=colour, label=label_of(arm))
            ax.plot(own := chosen[chosen.arm == arm].learning_rate, best[arm].reindex(own), "o", color=colour)
    ax.set(xscale="log", xlabel="learning rate", ylabel="error in cross-validation in %")
    ax.set_xticks(rates := sorted(rows.learning_rate.unique()), [f"{rate:.1g}" for rate in rates])
    percent_axis(ax)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure


def _bands(errors: Errors) -> tuple[Errors, Errors, Errors]:
    """Mean, low and high of each column, shape (columns,); NaN where there is no interval. errors: (seeds, columns)."""
    limits = [mean_interval(column) or (np.nan, np.nan) for column in errors.T]
    low, high = np.array(limits).T
    return errors.mean(0), low, high


def percent_axis(ax: Any) -> None:
    """The y axis on a logarithmic scale, with plain numbers."""
    ax.set(yscale="log")
    low, high = ax.get_ylim()
    shown = [percent for percent in PERCENTS if low <= percent <= high]
    ax.set_yticks(shown, [f"{percent:g}" for percent in shown])
    ax.minorticks_off()
