"""Arrays as people really save them: .npz files of many kinds, with labels of many kinds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.experiment.data.formats.arrays.npz import role
from tasks.experiment.data.ingestion import import_data
from tasks.experiment.errors import UnusableInputError
from tests.support.datasets import counts, found, kept

RNG = np.random.default_rng(18)
X = RNG.integers(1, 256, (60, 6, 5), np.uint8)
Y = np.arange(60) % 3
PLAIN = {(image.tobytes(), str(label)) for image, label in zip(X, Y, strict=True)}


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def write_npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("name", "its"),
    [
        ("x_train", ("train", "images")), ("y_test", ("test", "labels")), ("x_val", ("validation", "images")),
        ("X_valid", ("validation", "images")), ("val_labels", ("validation", "labels")),
        ("test_images", ("test", "images")), ("images", ("train", "images")), ("label", ("train", "labels")),
        ("x_train_mean", None), ("train", None), ("x_train_test", None), ("x_y", None), ("", None),
    ],
)  # fmt: skip
def test_the_name_of_an_array_says_what_it_holds(name: str, its: tuple[str, str] | None) -> None:
    assert role(name) == its


@pytest.mark.parametrize(("x", "y"), [("x_{}", "y_{}"), ("{}_images", "{}_labels")])
def test_the_validation_images_of_an_npz_are_used(tmp_path: Path, x: str, y: str) -> None:
    cuts = {"train": slice(0, 30), "val": slice(30, 42), "test": slice(42, 60)}
    arrays = {x.format(part): X[cut] for part, cut in cuts.items()}
    arrays |= {y.format(part): Y[cut, None] for part, cut in cuts.items()}  # MedMNIST has a column of labels
    data = import_data(write_npz(tmp_path / "d.npz", **arrays))
    assert counts(data) == dict.fromkeys("012", (10, 4, 6))
    assert found(data) == {
        part: {image.tobytes() for image in X[cut]}
        for part, cut in zip(("train", "validation", "test"), cuts.values(), strict=True)
    }


def test_an_npz_that_holds_something_else_names_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="must hold x_train and y_train; it holds pictures, kinds, x_test"):
        import_data(write_npz(tmp_path / "d.npz", pictures=X, kinds=Y, x_test=X))
    with pytest.raises(UnusableInputError, match="holds x_train and train_images, which mean the same"):
        import_data(write_npz(tmp_path / "e.npz", x_train=X, train_images=X, y_train=Y))


def test_unlabelled_test_images_of_an_npz_are_not_used_and_that_is_said(tmp_path: Path) -> None:
    data = import_data(write_npz(tmp_path / "d.npz", x_train=X, y_train=Y, x_test=X[:7]))
    assert "The images of x_test have no labels: they were not used." in data.notes
    assert counts(data) == dict.fromkeys("012", (14, 2, 4))


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (X / 255, Y, "All pixels are in 0 … 1: they were multiplied by 255"),
        ((X / 255).astype(np.float32)[..., None], Y, "All pixels are in 0 … 1"),
        (X.astype(float), Y.astype(np.float32), None),
        (X[:, None], Y[:, None].astype(np.int8), None),
        (X, np.eye(3)[Y], "The labels are one-hot"),
        (X, np.eye(3, dtype=bool)[Y], "The labels are one-hot"),
        (X, Y.astype(str), None),
        (X, Y.astype("S"), None),
    ],
    ids=["0 to 1", "0 to 1, a channel", "floats", "channels first", "one-hot", "one-hot bools", "text", "bytes"],
)
def test_one_and_the_same_data_in_other_forms(tmp_path: Path, x: np.ndarray, y: np.ndarray, says: str | None) -> None:
    data = import_data(write_npz(tmp_path / "d.npz", x_train=x, y_train=y))
    assert kept(data) == PLAIN
    assert bool(says) == any(note.startswith(says or "All pixels") for note in data.notes)


def test_channels_first_in_colour(tmp_path: Path) -> None:
    colour = RNG.integers(0, 256, (60, 6, 5, 3), np.uint8)
    first = import_data(write_npz(tmp_path / "a.npz", x_train=np.moveaxis(colour, -1, 1), y_train=Y))
    assert first == import_data(write_npz(tmp_path / "b.npz", x_train=colour, y_train=Y))


def test_pixels_are_scaled_only_if_all_parts_are_in_0_to_1(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match=r"x_train of .* must be pixels of 0 to 255 in whole numbers"):
        import_data(write_npz(tmp_path / "d.npz", x_train=X / 255, y_train=Y, x_test=X, y_test=Y))
    with pytest.raises(UnusableInputError, match="must be pixels, and so numbers"):
        import_data(write_npz(tmp_path / "e.npz", x_train=X.astype(str), y_train=Y))


def test_labels_that_begin_at_1(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "d.npz", x_train=X, y_train=Y + 1)
    data = import_data(path)
    assert kept(data) == {(pixels, str(int(name) + 1)) for pixels, name in PLAIN}
    assert "Labels without images are no classes: 0." in data.notes
    assert data.class_numbers((1, 3)) == (0, 2)
    (tmp_path / "d.classes.txt").write_text("a\nb\nc\n")
    named = import_data(path)
    assert kept(named) == {(pixels, "abc"[int(name)]) for pixels, name in PLAIN}
    assert "Labels count from 1: the first name in d.classes.txt is that of label 1." in named.notes
    assert named.class_numbers((1, 3)) == (0, 2)  # the numbers that the data have
    (tmp_path / "d.classes.txt").write_text("none\na\nb\nc\n")
    assert kept(import_data(path)) == kept(named)


def test_classes_without_any_image_are_no_classes_and_numbers_stay(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "d.npz", x_train=X, y_train=Y * 2)
    (tmp_path / "d.classes.txt").write_text("a\nb\nc\nd\ne\nf\n")
    data = import_data(path)
    assert data.classes == ("a", "c", "e")
    assert data.class_numbers((2, "4")) == (1, 2)
    assert "Names without images are no classes: b, d, f." in data.notes
