"""What the plots of a report show of images."""

from pathlib import Path

import numpy as np
import pytest

from tasks.experiment.data.ingestion import import_data
from tasks.experiment.reports.plots import draw_disagreements, draw_samples

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
