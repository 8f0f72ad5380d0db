"""What the plots of a report show of images."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from tasks.experiment.data.ingestion import import_data
from tasks.experiment.reports.plots import draw_disagreements, draw_pairs, draw_samples, spread
from tasks.experiment.results.pairs import replicate

BLACK, WHITE = (0, 0, 0, 1), (1, 1, 1, 1)


def test_grey_images_are_drawn_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    images = np.full((40, 8, 8), 255, np.uint8)  # paper, with ink in a corner
    images[:, 0, 0] = 0
    labels = np.arange(40) % 2
    np.savez(tmp_path / "data.npz", x_train=images, y_train=labels)
    (sheet,) = draw_samples(import_data(tmp_path / "data.npz")).axes[0].images
    drawn = sheet.to_rgba(sheet.get_array())
    assert tuple(drawn[0, 0]) == BLACK
    assert tuple(drawn[4, 4]) == tuple(drawn[8, 8]) == WHITE  # the image, the gap
    right = {"scratch": np.zeros(40, bool), "transfer": np.ones(40, bool)}
    grid = draw_disagreements(images // 2, labels, right, ["a", "b"])
    (image,) = grid.axes[0].images
    assert tuple(image.to_rgba(image.get_array())[0, 0]) == BLACK
    assert 0.45 < image.to_rgba(image.get_array())[4, 4, 0] < 0.55  # grey stays grey


def test_labels_are_moved_apart_no_further_than_they_must() -> None:
    assert spread(np.array([3.0, 1.0, 2.0]), 0.5).tolist() == [3, 1, 2]
    assert spread(np.array([1.0, 1.0, 1.0]), 0.5).tolist() == [0.5, 1, 1.5]
    placed = spread(np.array([5.0, 1.0, 1.1, 5.2]), 0.5)
    assert np.diff(np.sort(placed)).min() >= 0.5 - 1e-9
    assert np.argsort(placed).tolist() == [1, 2, 0, 3]


def test_names_of_seeds_do_not_overlap_though_their_accuracies_are_equal() -> None:
    pairs = [replicate(seed, {"accuracy": 0.8}, {"accuracy": 0.9}) for seed in range(8)]  # type: ignore[typeddict-item]
    figure = draw_pairs(pairs, "accuracy")
    figure.canvas.draw()
    (ax,) = figure.axes
    names = [text for text in ax.texts if text.get_text().startswith("seed")]
    places = np.sort([ax.transData.transform(name.xyann)[1] for name in names])
    assert len(places) == 8
    assert np.diff(places).min() > Text.get_window_extent(names[0]).height
    assert ax.get_window_extent().y0 < places[0] < places[-1] < ax.get_window_extent().y1
