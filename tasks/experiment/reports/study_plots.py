"""The study's pictures: one a question, drawn from its answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tasks.experiment.reports.plots import COLOURS, figure_with_axes, save_figure

VERDICT_COLOURS = {"helps": "#2a6f97", "hurts": "#c0603a", "can't tell": "#888888", "too small to matter": "#b5a642"}


def draw_arms(arms: list[dict[str, Any]], path: Path) -> None:
    """Error reduction of each arm against scratch, with its interval."""
    figure, (axis,) = figure_with_axes(1, "What helps? Error reduction against scratch", width=8, height=4)
    for row, arm in enumerate(reversed(arms)):
        result, colour = arm["error_reduction"], VERDICT_COLOURS[arm["verdict"]]
        if result["low"] is not None:
            axis.plot([result["low"], result["high"]], [row, row], color=colour, linewidth=3, solid_capstyle="round")
        if result["estimate"] is not None:
            axis.plot(result["estimate"], row, "o", color=colour, markersize=8)
    for verdict, colour in VERDICT_COLOURS.items():
        if any(arm["verdict"] == verdict for arm in arms):
            axis.plot([], [], "o-", color=colour, label=verdict)
    axis.axvline(0, color="black", linewidth=1)
    axis.set(yticks=range(len(arms)), yticklabels=[arm["arm"] for arm in reversed(arms)])
    axis.set(xlabel="error reduction in %, with 95 % interval")
    axis.legend(loc="lower left")
    save_figure(figure, path)


def draw_labels(labels: dict[str, Any], path: Path) -> None:
    """Accuracy by number of images of task B, and where scratch is as good as transfer at the experiment's number."""
    figure, (axis,) = figure_with_axes(1, "What is transfer worth in labels?", width=8, height=4.4)
    samples = [point["samples"] for point in labels["curve"]]
    for arm, colour in COLOURS.items():
        points = [point[arm] for point in labels["curve"]]
        axis.plot(samples, [100 * p["accuracy"] for p in points], "o-", color=colour, label=arm)
        bands = [[100 * p[end] if p[end] is not None else np.nan for p in points] for end in ("low", "high")]
        axis.fill_between(samples, *bands, color=colour, alpha=0.2, linewidth=0)
    goal = next(100 * p["transfer"]["accuracy"] for p in labels["curve"] if p["samples"] == labels["at"])
    equal = labels["equivalent"]
    axis.annotate(
        "", (equal["estimate"], goal), (labels["at"], goal), arrowprops={"arrowstyle": "->", "color": "black"}
    )
    if equal["low"] is not None:
        axis.plot([equal["low"], equal["high"]], [goal, goal], color="black", linewidth=4, alpha=0.3)
    axis.annotate(
        f"transfer at {labels['at']:,} = scratch at {equal['estimate']:,.0f}", (equal["estimate"], goal),
        xytext=(8, -14), textcoords="offset points",
    )  # fmt: skip
    axis.set(xscale="log", xlabel="labelled images of task B", ylabel="test accuracy in %, mean and 95 % band")
    axis.set_xticks(samples, [f"{n:,}" for n in samples])
    axis.minorticks_off()
    axis.legend(loc="lower right")
    save_figure(figure, path)


def draw_pixels(table: pd.DataFrame, path: Path) -> None:
    """Test accuracy of each run on standardized and on raw pixels; table: these runs."""
    figure, axes = figure_with_axes(2, "Raw or standardized pixels? Each line is a seed", width=4.2)
    names = {"standardize": "standardized", "none": "raw"}
    for axis, (kind, name) in zip(axes, names.items(), strict=True):
        wide = 100 * table[table.normalization == kind].pivot(index="seed", columns="arm", values="accuracy")
        for pair in wide[["scratch", "transfer"]].to_numpy():
            axis.plot([0, 1], pair, color=COLOURS["transfer" if pair[1] > pair[0] else "scratch"], alpha=0.5)
        axis.plot([0, 1], wide[["scratch", "transfer"]].mean(), "o-", color="black", linewidth=3, label="mean")
        axis.set(title=f"{name} pixels", xticks=[0, 1], xticklabels=["scratch", "transfer"], xlim=(-0.2, 1.2))
    lowest = 100 * table.accuracy.min()
    for axis in axes:
        axis.set(ylim=(lowest - 1, 100))
    axes[0].set(ylabel="test accuracy in %")
    axes[0].legend(loc="lower right")
    save_figure(figure, path)


def draw_classes(pairs: list[dict[str, Any]], names: tuple[str, ...], path: Path) -> None:
    """Error reduction for each pair of target classes; a dot marks those whose interval holds 0."""
    figure, (axis,) = figure_with_axes(1, "For which classes? Error reduction in %", width=8, height=7)
    grid = np.full((len(names), len(names)), np.nan)
    for pair in pairs:
        result = pair["error_reduction"]
        if result["estimate"] is None:
            continue
        cells = [(names.index(pair["negative"]), names.index(pair["positive"]))]
        cells.append(cells[0][::-1])
        unsure = result["low"] is None or result["low"] <= 0 <= result["high"]
        colour = "white" if abs(result["estimate"]) > 60 else "black"
        for row, column in cells:
            grid[row, column] = result["estimate"]
            axis.text(column, row, f"{round(result['estimate'])}", ha="center", va="center", color=colour)
            if unsure:
                axis.plot(column, row + 0.3, "o", markersize=4, color=colour)
    picture = axis.imshow(grid, cmap="RdBu", vmin=-100, vmax=100)
    figure.colorbar(picture, shrink=0.8, extend="min", label="error reduction in %  (• interval holds 0)")
    axis.set(yticks=range(len(names)), yticklabels=names, xticks=range(len(names)))
    axis.set_xticklabels(names, rotation=45, ha="right")
    save_figure(figure, path)
