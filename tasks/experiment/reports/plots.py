"""The report's pictures, drawn without pyplot's global state."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.inspection import samples
from tasks.experiment.results.nights import Night, changes

COLOURS = {"scratch": "#c0603a", "transfer": "#2a6f97"}
DPI = 110
NAMED_CLASSES = 20
NAMED_NIGHTS = 10
SAMPLES = 10  # of each class
NAMED_SEEDS = 8  # more names than that would lie on top of each other


def figure_with_axes(columns: int, title: str, width: float = 4.2, height: float = 3.6) -> tuple[Any, list[Any]]:
    """A figure and its axes side by side; width of each, and height, in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height), layout="constrained")
    figure.suptitle(title)
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def save_figure(figure: Any, path: Path) -> None:
    """As a PNG with a palette: a third of the size, for Prefect stores the pictures of a report twice."""
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DPI)
    Image.open(drawn).convert("RGB").quantize(256).save(path, optimize=True)


def draw_curves(histories: dict[str, list[list[dict[str, float]]]], frozen_epochs: int, path: Path) -> None:
    """Validation loss and accuracy by epoch: a thin line a seed, a thick one their mean. arm → seeds → epochs."""
    figure, axes = figure_with_axes(2, "Learning curves of task B")
    for axis, key in zip(axes, ("validation_loss", "validation_accuracy"), strict=True):
        for arm, seeds in histories.items():
            values = np.array([[epoch[key] for epoch in seed] for seed in seeds])
            epochs = np.arange(1, values.shape[1] + 1)
            axis.plot(epochs, values.T, color=COLOURS[arm], alpha=0.25, linewidth=1)
            axis.plot(epochs, values.mean(0), color=COLOURS[arm], linewidth=2.5, label=arm)
        if frozen_epochs:
            axis.axvline(frozen_epochs + 0.5, color="grey", linestyle="--", label="hidden layers unfrozen")
        axis.set(xlabel="epoch", ylabel=key.replace("_", " "))
        axis.legend()
    save_figure(figure, path)


def draw_pairs(replicates: list[dict[str, Any]], path: Path) -> None:
    """One line a seed, from scratch to transfer."""
    figure, (axis,) = figure_with_axes(1, "Test accuracy, one line a seed", width=5)
    for replicate in replicates:
        pair = [100 * replicate[arm]["accuracy"] for arm in COLOURS]
        colour = COLOURS["transfer" if pair[1] > pair[0] else "scratch"]
        axis.plot([0, 1], pair, marker="o", color=colour, alpha=0.8)
        if len(replicates) <= NAMED_SEEDS:
            axis.annotate(f"seed {replicate['seed']}", (1.04, pair[1]), fontsize=8, va="center")
    means = [100 * np.mean([replicate[arm]["accuracy"] for replicate in replicates]) for arm in COLOURS]
    axis.plot([0, 1], means, color="black", linewidth=3, label=f"mean of {len(replicates)}")
    axis.legend(loc="lower right")
    axis.set(xticks=[0, 1], xticklabels=list(COLOURS), xlim=(-0.2, 1.4), ylabel="accuracy in %")
    save_figure(figure, path)


def draw_confusions(replicates: list[dict[str, Any]], names: tuple[str, ...], path: Path) -> None:
    """Confusion matrices, mean over seeds."""
    size = max(3.6, 0.45 * len(names))
    title = f"Confusion on task B's test images, mean of {len(replicates)}"
    figure, axes = figure_with_axes(2, title, width=size + 0.6, height=size)
    for axis, arm in zip(axes, COLOURS, strict=True):
        counts = np.mean([replicate[arm]["confusion"] for replicate in replicates], axis=0)
        axis.imshow(counts, cmap="Blues", vmin=0)
        for (row, column), count in np.ndenumerate(counts) if len(names) <= NAMED_CLASSES else ():
            axis.text(column, row, f"{count:.0f}", ha="center", va="center",
                      color="white" if count > counts.max() / 2 else "black")  # fmt: skip
        shown = list(range(0, len(names), -(-len(names) // NAMED_CLASSES)))
        labels = [names[number] for number in shown]
        axis.set(title=arm, xticks=shown, yticks=shown, yticklabels=labels, xlabel="answer", ylabel="truth")
        axis.set_xticklabels(labels, **({"rotation": 45, "ha": "right"} if len(names) > 2 else {}))
    save_figure(figure, path)


def draw_samples(data: DataSet, path: Path) -> None:
    """A row a class: its first training images, all in one picture: axes for each would take a second."""
    from matplotlib.figure import Figure

    rows = samples(data, SAMPLES)[:NAMED_CLASSES]
    height, width = (side + max(1, side // 8) for side in data.image_shape[:2])  # with a gap
    paper = 0 if len(data.image_shape) == 2 else 255
    sheet = np.full((height * len(rows), width * SAMPLES, *data.image_shape[2:]), paper, np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            top, left = row * height, column * width
            sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    figure = Figure(figsize=(0.62 * SAMPLES + 1.2, 0.62 * len(rows) + 0.2), layout="constrained")
    axis = figure.subplots()
    axis.imshow(sheet, cmap=_map_for(sheet), vmin=0, vmax=255)
    axis.set_frame_on(False)
    axis.set_xticks([])
    centres = [(row + 0.45) * height for row in range(len(rows))]
    axis.set_yticks(centres, data.classes[: len(rows)], fontsize=8)
    axis.tick_params(length=0)
    save_figure(figure, path)


def _map_for(image: np.ndarray) -> str | None:
    """Grey as ink on paper; colours as they are."""
    return "gray_r" if image.ndim == 2 else None


def draw_nights(nights: list[Night], path: Path) -> None:
    """Error reduction by night, each with its interval; a dashed line where code or versions changed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axis = figure.subplots()
    for number, night in enumerate(nights):
        if night.low is not None and night.high is not None:
            axis.plot([number, number], [night.low, night.high], color=COLOURS["transfer"], linewidth=6, alpha=0.3)
        if number and (changed := changes(nights[number - 1], night)):
            axis.axvline(number - 0.5, color="grey", linestyle="--")
            text = changed[0] + (f" and {len(changed) - 1} more" if changed[1:] else "")
            axis.annotate(
                text, (number - 0.5, 0.98), xycoords=("data", "axes fraction"), xytext=(-3, 0),
                textcoords="offset points", rotation=90, fontsize=7, ha="right", va="top",
            )  # fmt: skip
    estimates = [np.nan if night.estimate is None else night.estimate for night in nights]
    axis.plot(estimates, marker="o", color=COLOURS["transfer"])
    axis.axhline(0, color="black", linewidth=0.8)
    shown = range(0, len(nights), -(-len(nights) // NAMED_NIGHTS))
    axis.set(xticks=list(shown), xticklabels=[nights[number].date for number in shown])
    axis.set(xlabel="night", ylabel="error reduction in %", xlim=(-0.7, max(len(nights), 2) - 0.3))
    axis.set_title("Error reduction by night, with its interval")
    figure.savefig(path, dpi=110)


def draw_disagreements(
    images: np.ndarray, labels: np.ndarray, right: dict[str, np.ndarray], names: tuple[str, ...], path: Path
) -> None:
    """Images that one arm got right and the other wrong (first seed); up to eight of each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    grid = figure.subplots(2, 8)
    for row, (winner, loser) in zip(grid, (("transfer", "scratch"), ("scratch", "transfer")), strict=True):
        found = np.flatnonzero(right[winner] & ~right[loser])
        for axis in row:
            axis.axis("off")
        row[0].set_title(f"only {winner} right ({len(found)} images)", loc="left", fontsize=9, color=COLOURS[winner])
        for axis, i in zip(row, found, strict=False):
            axis.imshow(images[i], cmap=_map_for(images[i]))
            axis.text(0.5, -0.02, names[labels[i]], transform=axis.transAxes, ha="center", va="top", fontsize=7)
    save_figure(figure, path)
