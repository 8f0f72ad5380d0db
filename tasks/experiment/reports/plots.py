"""The plots of a run's report."""

from dataclasses import dataclass

import numpy as np

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.inspection import samples
from tasks.experiment.reports.figures import COLOURS, Figure, Plot, empty_figure, figure_with_axes
from tasks.experiment.reports.lettering import columns, label
from tasks.experiment.reports.metrics import Metrics, metric_of
from tasks.experiment.reports.phrases import SCORES, by_metric
from tasks.experiment.results.nights import Night, changes
from tasks.experiment.results.pairs import Replicate
from tasks.experiment.scores import Metric
from tasks.experiment.study.arms import PAIR, SCRATCH, TRANSFER

NAMED_CLASSES = 20
SHORT = 16  # letters of a name below a small image
NAMED_NIGHTS = 10
SAMPLES = 10  # of each class
NAMED_SEEDS = 8  # more names than that would lie on top of each other
LINES = 200  # of as many first seeds are drawn one by one: more could not be told apart
LINE = 0.08  # of their text, as part of the height of the plot

Epochs = list[dict[str, float]]  # one model's training: a row of numbers per epoch


@dataclass(frozen=True)
class Reported:
    """What every report has."""

    data: DataSet
    metrics: Metrics

    @property
    def metric(self) -> Metric:
        """What errors are taken from."""
        return metric_of(self.metrics)


@dataclass(frozen=True)
class ReportedRun(Reported):
    """epochs: arm → one training per seed. Of the first seed: task B's test images and labels, and which arm is right.

    nights: this run as the last one, after the earlier nights; empty if it is no night.
    """

    epochs: dict[str, list[Epochs]]
    images: np.ndarray
    labels: np.ndarray
    right: dict[str, np.ndarray]
    nights: list[Night]


PAIRS: Plot[Reported] = Plot(
    "Test accuracy of each pair", lambda report: draw_pairs(report.metrics["replicates"], report.metric)
)
DATA: Plot[Reported] = Plot(
    "The first training images of each class", lambda report: draw_samples(report.data), photographs=True
)
# In the order of the report. Another plot is another line.
PLOTS: dict[str, Plot[ReportedRun]] = {
    "pairs": PAIRS,
    "curves": Plot(
        "Learning curves of task B",
        lambda run: draw_curves(
            run.epochs, 0 if "recipes" in run.metrics else run.metrics["experiment"]["frozen_epochs"]
        ),
    ),
    "confusion": Plot(
        "Confusion matrices",
        lambda run: draw_confusions(run.metrics["replicates"], run.metrics["data"]["target_classes"]),
    ),
    "disagreements": Plot(
        "Test images on which scratch and transfer disagree",
        lambda run: draw_disagreements(run.images, run.labels, run.right, run.metrics["data"]["target_classes"]),
        photographs=True,
    ),
    "data": DATA,
    "nights": Plot(
        "Error reduction by night, with its interval; what changed between two nights is marked",
        lambda run: draw_nights(run.nights) if run.nights else None,
    ),
}


def draw_curves(epochs: dict[str, list[Epochs]], frozen_epochs: int) -> Figure:
    """Validation loss and accuracy by epoch: a thin line per seed, a thick one for their mean as long as all train."""
    figure, axes = figure_with_axes(2, "Learning curves of task B")
    for ax, key in zip(axes, ("validation_loss", "validation_accuracy"), strict=True):
        for arm, seeds in epochs.items():
            values = [np.array([epoch[key] for epoch in seed]) for seed in seeds]
            for seed in values[:LINES]:
                ax.plot(np.arange(1, len(seed) + 1), seed, color=COLOURS[arm], alpha=0.25, linewidth=1)
            mean = np.mean([seed[: min(map(len, values))] for seed in values], axis=0)
            ax.plot(np.arange(1, len(mean) + 1), mean, color=COLOURS[arm], linewidth=2.5, label=arm)
        if frozen_epochs:
            ax.axvline(frozen_epochs + 0.5, color="grey", linestyle="--", label="hidden layers unfrozen")
        ax.set(xlabel="epoch", ylabel=key.replace("_", " "))
        ax.legend()
    return figure


def draw_pairs(replicates: list[Replicate], metric: Metric) -> Figure:
    """One line per seed, from scratch to transfer."""
    figure, (ax,) = figure_with_axes(1, by_metric("Test accuracy, one line per seed", metric), width=5)
    pairs = 100 * np.array([[pair["scratch"][metric], pair["transfer"][metric]] for pair in replicates])
    line = LINE * max(1.0, float(np.ptp(pairs)))
    heights = spread(pairs[:, 1], line)
    for replicate, (scratch, transfer), height in list(zip(replicates, pairs, heights, strict=True))[:LINES]:
        colour = COLOURS[TRANSFER if transfer > scratch else SCRATCH]
        ax.plot([0, 1], [scratch, transfer], marker="o", color=colour, alpha=0.8)
        if len(replicates) <= NAMED_SEEDS:
            ax.annotate(
                f"seed {replicate['seed']}", (1, transfer), (1.12, height), fontsize=8, va="center",
                arrowprops={"arrowstyle": "-", "color": "grey", "linewidth": 0.5},
            )  # fmt: skip
    ax.plot([0, 1], pairs.mean(0), color="black", linewidth=3, label=f"mean of {len(replicates):,}")
    figure.legend(loc="outside lower center")
    shown = np.append(pairs, heights)
    ax.set(xticks=[0, 1], xticklabels=PAIR, xlim=(-0.2, 1.4), ylim=(shown.min() - line, shown.max() + line))
    ax.set(ylabel=f"{SCORES[metric]} in %")
    return figure


def spread(heights: np.ndarray, apart: float) -> np.ndarray:
    """Heights of labels at these heights: in the same order, and at least so far apart."""
    order = np.argsort(heights, kind="stable")
    steps = apart * np.arange(len(heights))
    placed = np.empty(len(heights))
    placed[order] = np.maximum.accumulate(heights[order] - steps) + steps
    return placed - (placed - heights).mean()


def draw_confusions(replicates: list[Replicate], names: list[str]) -> Figure:
    """Confusion matrices, mean over seeds."""
    size = max(3.6, 0.45 * len(names))
    shown = list(range(0, len(names), -(-len(names) // NAMED_CLASSES)))
    labels = [label(names[number]) for number in shown]
    room = 0.1 * (max(12, *map(columns, labels)) - 12)  # inches that long names need
    title = f"Confusion on task B's test images, mean of {len(replicates)}"
    figure, axes = figure_with_axes(2, title, width=size + 0.6 + room, height=size + 0.7 * room)
    matrices = {
        SCRATCH: [pair["scratch"]["confusion"] for pair in replicates],
        TRANSFER: [pair["transfer"]["confusion"] for pair in replicates],
    }
    for ax, (arm, found) in zip(axes, matrices.items(), strict=True):
        counts = np.mean(found, axis=0)
        ax.imshow(counts, cmap="Blues", vmin=0, interpolation="none")
        for (row, column), count in np.ndenumerate(counts) if len(names) <= NAMED_CLASSES else ():
            ax.text(column, row, f"{count:.0f}", ha="center", va="center",
                      color="white" if count > counts.max() / 2 else "black")  # fmt: skip
        ax.set(title=arm, xticks=shown, yticks=shown, yticklabels=labels, xlabel="answer", ylabel="truth")
        ax.set_xticklabels(labels, **({"rotation": 45, "ha": "right"} if len(names) > 2 or room else {}))
    return figure


def draw_samples(data: DataSet) -> Figure:
    """One row per class: its first training images, all in one array, since axes for each would take a second."""
    rows = samples(data, SAMPLES)[:NAMED_CLASSES]
    height, width = (side + max(1, side // 8) for side in data.image_shape[:2])  # with a gap
    sheet = np.full((height * len(rows), width * SAMPLES, *data.image_shape[2:]), 255, np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            top, left = row * height, column * width
            sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    figure = empty_figure(0.62 * SAMPLES + 1.2, 0.62 * len(rows) + 0.2)
    ax = figure.subplots()
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=255)
    ax.set_frame_on(False)
    ax.set_xticks([])
    centres = [(row + 0.45) * height for row in range(len(rows))]
    ax.set_yticks(centres, [label(name) for name in data.classes[: len(rows)]], fontsize=8)
    ax.tick_params(length=0)
    return figure


def draw_nights(nights: list[Night]) -> Figure:
    """Error reduction by night, each with its interval; a dashed line where code or versions changed."""
    figure, (ax,) = figure_with_axes(1, "Error reduction by night, with its interval", width=9)
    for number, night in enumerate(nights):
        if night.low is not None and night.high is not None:
            ax.plot([number, number], [night.low, night.high], color=COLOURS[TRANSFER], linewidth=6, alpha=0.3)
        if number and (changed := changes(nights[number - 1], night)):
            ax.axvline(number - 0.5, color="grey", linestyle="--")
            text = changed[0] + (f" and {len(changed) - 1} more" if changed[1:] else "")
            ax.annotate(
                text, (number - 0.5, 0.98), xycoords=("data", "axes fraction"), xytext=(-3, 0),
                textcoords="offset points", rotation=90, fontsize=7, ha="right", va="top",
            )  # fmt: skip
    estimates = [np.nan if night.estimate is None else night.estimate for night in nights]
    ax.plot(estimates, marker="o", color=COLOURS[TRANSFER])
    ax.axhline(0, color="black", linewidth=0.8)
    shown = range(0, len(nights), -(-len(nights) // NAMED_NIGHTS))
    ax.set(xticks=list(shown), xticklabels=[nights[number].date for number in shown])
    ax.set(xlabel="night", ylabel="error reduction in %", xlim=(-0.7, max(len(nights), 2) - 0.3))
    return figure


def draw_disagreements(
    images: np.ndarray, labels: np.ndarray, right: dict[str, np.ndarray], names: list[str]
) -> Figure:
    """Images that one arm got right and the other wrong (first seed); up to eight of each."""
    figure = empty_figure(9, 3.4)
    grid = figure.subplots(2, 8)
    for row, (winner, loser) in zip(grid, ((TRANSFER, SCRATCH), (SCRATCH, TRANSFER)), strict=True):
        found = np.flatnonzero(right[winner] & ~right[loser])
        for ax in row:
            ax.axis("off")
        row[0].set_title(f"only {winner} right ({len(found)} images)", loc="left", fontsize=9, color=COLOURS[winner])
        for ax, i in zip(row, found, strict=False):
            ax.imshow(images[i], cmap="gray", vmin=0, vmax=255)
            ax.text(
                0.5, -0.02, label(names[labels[i]], SHORT), transform=ax.transAxes, ha="center", va="top", fontsize=7
            )
    return figure
