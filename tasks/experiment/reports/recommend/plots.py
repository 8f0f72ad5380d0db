"""The plots of a recommendation's report."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.recommend.answers import Choice
from tasks.experiment.recommend.curve import FARTHEST, Curve
from tasks.experiment.reports.figures import COLOURS, Figure, Plot, empty_figure, figure_with_axes
from tasks.experiment.study.arms import TRANSFER

CHOSEN, OTHER, DROPPED = COLOURS[TRANSFER], "#555555", "#bbbbbb"
SHOWN = 24  # mistakes
NAMED_CLASSES = 20


@dataclass(frozen=True)
class ReportedChoice:
    """images: of the mistakes, uint8, in their order."""

    choice: Choice
    curve: Curve
    class_names: list[str]
    images: NDArray[np.uint8]


def draw_candidates(choice: Choice) -> Figure:
    """One row per method: its accuracy with its interval; the recommended one's is corrected for the choice."""
    rows = choice["candidates"][::-1]
    figure, (ax,) = figure_with_axes(1, "Accuracy in cross-validation", width=8.5, height=1.2 + 0.32 * len(rows))
    for height, row in enumerate(rows):
        is_chosen = row["name"] == choice["chosen"]
        shown = choice["expected"] if is_chosen else row["accuracy"]
        colour = CHOSEN if is_chosen else OTHER if row["repetitions"] == choice["repetitions"] else DROPPED
        ax.plot([100 * (shown["low"] or 0), 100 * (shown["high"] or 0)], [height] * 2, color=colour, linewidth=2)
        ax.plot(100 * (shown["estimate"] or 0), height, "o", color=colour, markersize=8 if is_chosen else 5)
    ax.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=8)
    ax.set(xlabel="accuracy in %, with its 90 % interval", ylim=(-0.6, len(rows) - 0.4))
    return figure


def draw_curve(choice: Choice, curve: Curve) -> Figure:
    """What was measured, the law that was fitted to it, and where it goes with more images."""
    figure, (ax,) = figure_with_axes(1, f"{choice['chosen']}: accuracy by number of labels", width=6.5)
    law = {name: np.array([each[name] for each in curve["fitted"]]) for name in curve["fitted"][0]}  # type: ignore[literal-required]
    ax.fill_between(
        law["images"], 100 * law["low"], 100 * law["high"], color=CHOSEN, alpha=0.2, label="90 % of bootstraps"
    )
    ax.plot(law["images"], 100 * law["accuracy"], color=CHOSEN, label="power law, fitted")
    measured = [(each["images"], 100 * each["accuracy"]) for each in curve["measured"]]
    ax.plot(*zip(*measured, strict=True), "o", color="black", label="measured")
    ax.axvline(choice["images"], color="grey", linestyle="--", label="labels there are")
    ax.set(xscale="log", xlabel="images to train on", ylabel="accuracy in %")
    ticks = [curve["measured"][0]["images"], choice["images"], 2 * choice["images"], FARTHEST * choice["images"]]
    ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
    ax.minorticks_off()
    ax.legend(fontsize=8)
    return figure


def draw_confusion(choice: Choice, names: list[str]) -> Figure:
    size = max(3.6, 0.45 * len(names))
    figure, (ax,) = figure_with_axes(
        1, f"{choice['chosen']}: answers in cross-validation", width=size + 1.6, height=size
    )
    counts = np.array(choice["confusion"])
    ax.imshow(counts, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts) if len(names) <= NAMED_CLASSES else ():
        colour = "white" if count > counts.max() / 2 else "black"
        ax.text(column, row, f"{count:.1f}".removesuffix(".0"), ha="center", va="center", color=colour, fontsize=8)
    shown = list(range(0, len(names), -(-len(names) // NAMED_CLASSES)))
    ax.set(xticks=shown, yticks=shown, yticklabels=[names[n] for n in shown], xlabel="answer", ylabel="label")
    ax.set_xticklabels([names[n] for n in shown], rotation=45, ha="right")
    return figure


def draw_mistakes(choice: Choice, images: NDArray[np.uint8]) -> Figure | None:
    """Images that all methods got wrong, each with its label and what most methods say."""
    if not len(images):
        return None
    columns = min(8, len(images))
    rows = -(-len(images) // columns)
    figure = empty_figure(1.25 * columns, 1.6 * rows)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, mistake in zip(axes.flat, images, choice["mistakes"], strict=False):
        ax.imshow(image, cmap="gray", vmin=0, vmax=255)
        ax.set_title(f"{mistake['label']}?\n{mistake['says']}!", fontsize=7)
    return figure


# In the order of the report. Another plot is another line.
PLOTS: dict[str, Plot[ReportedChoice]] = {
    "candidates": Plot(
        "All methods, the cheapest to run first: recommended (blue), dropped early (light)",
        lambda report: draw_candidates(report.choice),
    ),
    "curve": Plot("Accuracy by number of labels", lambda report: draw_curve(report.choice, report.curve)),
    "confusion": Plot(
        "Labels and answers of the recommended method, mean over repetitions",
        lambda report: draw_confusion(report.choice, report.class_names),
    ),
    "mistakes": Plot(
        "Images that all methods got wrong: their label (?), and what most methods say (!)",
        lambda report: draw_mistakes(report.choice, report.images),
        photographs=True,
    ),
}
