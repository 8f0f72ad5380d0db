"""Labelled images for a recommendation: nothing is set aside, and files keep their names."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.ingestion import import_labels


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def write(file: Path, shade: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((4, 4), shade, np.uint8)
    image[0, 0] = 255
    Image.fromarray(image).save(file)


def test_all_images_of_a_folder_are_labels_and_have_the_names_of_their_files(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"photos/cat/{number}.png", 10 + number)
        write(tmp_path / f"photos/dog/{number}.png", 100 + number)
    data = import_labels(tmp_path / "photos", Sizing())
    assert data.file_names() == [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(3)]
    assert data.images("train")[:, 1, 1].tolist() == [10, 11, 12, 100, 101, 102]
    assert data.labels("train").tolist() == [0, 0, 0, 1, 1, 1]
    assert data.images("test").shape == (0, 4, 4)
    assert not [note for note in data.notes if "test" in note.lower()]


def test_validation_images_are_labels_too_and_test_images_are_kept(tmp_path: Path) -> None:
    for number, part in enumerate(("train", "train", "train", "val", "test")):
        for name in ("cat", "dog"):
            write(tmp_path / f"photos/{part}/{name}/{number}.png", 10 * number + 5)
    data = import_labels(tmp_path / "photos", Sizing())
    assert len(data.labels("train")) == 8
    assert data.file_names()[-1] == "val/dog/3.png"
    assert data.labels("test").tolist() == [0, 1]


def test_rows_of_a_table_have_the_names_of_their_files(tmp_path: Path) -> None:
    rows = [(f"{name}{number}.png", name) for number in range(3) for name in ("cat", "dog")]
    for number, (file, _) in enumerate(rows):
        write(tmp_path / "photos" / file, 20 * number)
    (tmp_path / "photos/metadata.csv").write_text("file_name,label\n" + "".join(f"{f},{n}\n" for f, n in rows))
    data = import_labels(tmp_path / "photos", Sizing())
    assert data.file_names() == [file for file, _ in rows]


def test_arrays_have_no_names(tmp_path: Path) -> None:
    images, labels = np.random.default_rng(0).integers(0, 256, (8, 4, 4), np.uint8), np.arange(8) % 2
    np.savez(tmp_path / "few.npz", x_train=images, y_train=labels)
    data = import_labels(tmp_path / "few.npz", Sizing())
    assert data.file_names() == []
    assert (data.images("train") == images).all()
