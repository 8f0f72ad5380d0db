"""Folders of image files as people really keep them: the right part is used, and the rest is named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.experiment.data.formats.files import given_path
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.ingestion import import_data
from tasks.experiment.errors import UnusableInputError
from tests.support.datasets import counts, found, images


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def parts(folder: Path, **counts: tuple[str, int]) -> dict[str, set[bytes]]:
    """Images of "cat" and "Dog" below folders; by part their pixels. counts: part → (folder, images of each class)."""
    return {
        part: set(images(folder / name / "cat", count) + images(folder / name / "Dog", count))
        for part, (name, count) in counts.items()
    }


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("train", "valid", "test"),
        ("Training", "Validation", "Testing"),
        ("TRAIN", "dev", "Test"),
    ],
)
def test_the_given_validation_and_test_images_are_used_as_such(
    tmp_path: Path, train: str, validation: str, test: str
) -> None:
    given = parts(tmp_path / "data", train=(train, 8), validation=(validation, 3), test=(test, 4))
    data = import_data(tmp_path / "data")
    assert found(data) == given
    assert data.classes == ("Dog", "cat")
    assert counts(data) == {"cat": (8, 3, 4), "Dog": (8, 3, 4)}
    assert "The 6 validation images are those that were given." in data.notes


def test_train_and_val_alone_have_their_test_images_set_aside_from_train(tmp_path: Path) -> None:
    given = parts(tmp_path / "data", train=("train", 10), validation=("val", 3))
    data = import_data(tmp_path / "data")
    assert counts(data) == {"cat": (8, 3, 2), "Dog": (8, 3, 2)}
    assert found(data)["validation"] == given["validation"]
    assert found(data)["train"] | found(data)["test"] == given["train"]
    assert "The data had no test images: 4 of 20, a fifth of each class, were set aside." in data.notes


def test_train_and_test_in_capitals_are_no_classes(tmp_path: Path) -> None:
    given = parts(tmp_path / "data", train=("Train", 10), test=("Test", 4))
    data = import_data(tmp_path / "data")
    assert found(data)["test"] == given["test"]
    assert counts(data) == {"cat": (9, 1, 4), "Dog": (9, 1, 4)}


def test_notes_do_not_say_where_the_data_lay(tmp_path: Path) -> None:
    """They are kept with the data, which the cache gives again when the folder has moved."""
    parts(tmp_path / "data", train=("train", 8), validation=("val", 3), test=("test", 3))
    for folder in ("data/train/cat", "data/train", "data/extra"):
        images(tmp_path / folder, 2, ".bmp")
    (tmp_path / "data/train/Dog/notes.txt").touch()
    notes = import_data(tmp_path / "data").notes
    assert len(notes) >= 5
    assert not [note for note in notes if str(tmp_path) in note]


def test_given_validation_images_are_in_the_fingerprint(tmp_path: Path) -> None:
    parts(tmp_path / "data", train=("train", 8), validation=("val", 3))
    before = fingerprint(tmp_path / "data")
    images(tmp_path / "data/val/cat", 1)
    assert fingerprint(tmp_path / "data") != before


def test_classes_of_a_part_may_be_written_in_other_capitals(tmp_path: Path) -> None:
    images(tmp_path / "train/cat", 8), images(tmp_path / "train/dog", 8)
    images(tmp_path / "test/Cat", 2), images(tmp_path / "test/Dog", 3)
    assert {name: count[2] for name, count in counts(import_data(tmp_path)).items()} == {"cat": 2, "dog": 3}


@pytest.mark.parametrize("part", ["test", "val"])
def test_images_without_class_folders_are_not_used_and_that_is_said(tmp_path: Path, part: str) -> None:
    given = parts(tmp_path / "data", train=("train", 10))
    images(tmp_path / "data" / part, 7)
    data = import_data(tmp_path / "data")
    assert set.union(*found(data).values()) == given["train"]
    says = f"7 images in {part}, but in no class folder: unlabelled images can't be used."
    assert says in data.notes


def test_an_empty_test_folder_is_as_none(tmp_path: Path) -> None:
    parts(tmp_path, train=("train", 10))
    (tmp_path / "test/cat").mkdir(parents=True)
    assert counts(import_data(tmp_path)) == {"cat": (7, 1, 2), "Dog": (7, 1, 2)}


def test_a_class_may_be_called_train_or_test(tmp_path: Path) -> None:
    for name in ("train", "plane", "test"):
        images(tmp_path / name, 8)
    assert import_data(tmp_path).classes == ("plane", "test", "train")


def test_val_beside_the_classes_of_training_images_is_no_class(tmp_path: Path) -> None:
    images(tmp_path / "cat", 10), images(tmp_path / "dog", 10)
    images(tmp_path / "val/cat", 2), images(tmp_path / "val/dog", 3)
    assert counts(import_data(tmp_path)) == {"cat": (8, 2, 2), "dog": (8, 3, 2)}


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (
            lambda folder: (images(folder / "train", 9), images(folder / "test", 9)),
            "no training images in class folders",
        ),
        (lambda folder: parts(folder, test=("test", 9), validation=("val", 9)), "no training images in class"),
        (
            lambda folder: parts(folder, train=("train", 9), test=("training", 9)),
            "train and .*training are both for train: keep one",
        ),
        (
            lambda folder: parts(folder, train=("", 9), val=("val", 2), valid=("valid", 2)),
            "val and .*valid are both for validation",
        ),
        (lambda folder: (folder / "train/cat").mkdir(parents=True), "there are no images to train on in"),
        (lambda folder: (images(folder / "train/cat", 9), images(folder / "val/cow", 9)), "val has classes that"),
    ],
    ids=["no class folders", "no train", "twice", "twice beside the classes", "no images", "unseen"],
)
def test_what_is_no_layout_is_refused(tmp_path: Path, write: Callable[[Path], object], says: str) -> None:
    write(tmp_path / "data")
    with pytest.raises(UnusableInputError, match=says):
        import_data(tmp_path / "data")


def test_every_kind_of_image_that_pillow_reads_is_used(tmp_path: Path) -> None:
    suffixes = {".png": {}, ".webp": {"lossless": True}, ".bmp": {}, ".gif": {}, ".tiff": {}, ".TIF": {}, ".pgm": {}}
    for suffix, options in suffixes.items():
        images(tmp_path / "a", 8, suffix, **options)
    images(tmp_path / "b", 10)
    data = import_data(tmp_path)
    assert {name: sum(row) for name, row in counts(data).items()} == {"a": 56, "b": 10}
    assert not [note for note in data.notes if "Left out" in note]
    assert data.image_shape == (6, 5)
    assert "16 WebP or GIF, which have no grey images, hold nothing but grey: read as grey." in data.notes


def test_a_webp_in_colour_makes_all_images_colour(tmp_path: Path) -> None:
    images(tmp_path / "a", 8, ".webp", lossless=True), images(tmp_path / "b", 8)
    picture = np.full((6, 5, 3), 10, np.uint8)
    picture[2, 3, 0] = 40
    Image.fromarray(picture).save(tmp_path / "b/one.webp", lossless=True)
    data = import_data(tmp_path)
    assert data.image_shape == (6, 5, 3)
    assert not [note for note in data.notes if "grey" in note]


def test_what_is_left_out_is_counted_and_named(tmp_path: Path) -> None:
    parts(tmp_path / "data", train=("train", 8))
    folder = tmp_path / "data/train/cat"
    for name in ("IMG_1.HEIC", "IMG_2.heic", "notes.txt", "noend", "Thumbs.db", "desktop.ini", ".DS_Store"):
        (folder / name).touch()
    (
        images(tmp_path / "data/extra", 3),
        images(tmp_path / "data/train", 2),
        images(tmp_path / "data/__MACOSX/train/x", 1),
    )
    notes = import_data(tmp_path / "data").notes
    assert (
        "Left out, by their names no images that can be read: 4 files, .heic (2, such as train/cat/IMG_1.HEIC), "
        "no suffix (1, such as train/cat/noend), .txt (1, such as train/cat/notes.txt)."
    ) in notes
    assert "3 images in extra left out: that is no part of the data." in notes
    assert "2 images in train, but in no class folder: unlabelled images can't be used." in notes
    assert not [note for note in notes if "MACOSX" in note or "Thumbs" in note]


def test_of_an_animation_the_first_picture_is_used_and_that_is_said(tmp_path: Path) -> None:
    parts(tmp_path, train=("train", 8))
    first, second = (Image.fromarray(np.full((6, 5), value, np.uint8)) for value in (10, 200))
    first.save(tmp_path / "train/cat/moving.gif", save_all=True, append_images=[second])
    data = import_data(tmp_path)
    assert [note for note in data.notes if "1 file with several pictures, such as " in note and "moving.gif" in note], (
        data.notes
    )
    assert np.full((6, 5), 10, np.uint8).tobytes() in set.union(*found(data).values())


def test_a_folder_without_images_is_no_class(tmp_path: Path) -> None:
    images(tmp_path / "a", 8), images(tmp_path / "b", 8), (tmp_path / "docs").mkdir()
    data = import_data(tmp_path)
    assert data.classes == ("a", "b")
    assert "Folders without images are no classes: docs." in data.notes


def test_numbered_folders_sort_by_number(tmp_path: Path) -> None:
    for number in (0, 1, 2, 10, 11):
        images(tmp_path / str(number), 4)
    data = import_data(tmp_path)
    assert data.classes == ("0", "1", "2", "10", "11")
    assert data.class_numbers((2, 10)) == data.class_numbers(("2", "10")) == (2, 3)


def test_file_names_that_are_no_utf8(tmp_path: Path) -> None:
    for name in ("a", "b\udcff"):
        images(tmp_path / name, 8)
        (tmp_path / name / "png1.png").rename(tmp_path / name / "\udce91.png")
    before = fingerprint(tmp_path)
    assert import_data(tmp_path).classes == ("a", r"b\udcff")
    (tmp_path / "a/\udce91.png").rename(tmp_path / "a/\udce92.png")
    assert fingerprint(tmp_path) != before


def test_a_home_is_that_of_the_machine_that_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert given_path("~/data") == tmp_path / "data"
    assert given_path("a/~/data") == Path("a/~/data")
    with pytest.raises(UnusableInputError, match="~nobody-here/data begins with the home of someone who has none here"):
        given_path("~nobody-here/data")
