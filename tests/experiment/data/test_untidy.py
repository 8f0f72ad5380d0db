"""Data as people really keep them: what is used is the right part of them, and the rest is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.formats.files import given_path
from tasks.experiment.data.formats.npz import role
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.ingestion import import_data
from tasks.experiment.data.inspection import class_counts
from tasks.experiment.errors import UnusableInputError

RNG = np.random.default_rng(18)
X = RNG.integers(1, 256, (60, 6, 5), np.uint8)
Y = np.arange(60) % 3


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def images(folder: Path, count: int, suffix: str = ".png", **options: Any) -> list[bytes]:
    """Write that many different images; their pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        pixels = RNG.integers(0, 256, (6, 5), np.uint8)
        Image.fromarray(pixels).save(folder / f"{suffix[1:]}{number}{suffix}", **options)
        made.append(pixels.tobytes())
    return made


def parts(folder: Path, **counts: tuple[str, int]) -> dict[str, set[bytes]]:
    """Images of "cat" and "Dog" below folders; by part their pixels. counts: part → (folder, images of each class)."""
    return {
        part: set(images(folder / name / "cat", count) + images(folder / name / "Dog", count))
        for part, (name, count) in counts.items()
    }


def found(data: DataSet) -> dict[str, set[bytes]]:
    training, validation = data.training_and_validation(data.images("train"))
    by_part = {"train": training, "validation": validation, "test": data.images("test")}
    return {part: {image.tobytes() for image in array} for part, array in by_part.items()}


def counts(data: DataSet) -> dict[str, tuple[int, int, int]]:
    return {row["class"]: (row["training"], row["validation"], row["test"]) for row in class_counts(data)}


def write_npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


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
    assert any("1 file with several pictures, such as " in note and "moving.gif" in note for note in data.notes)
    assert np.full((6, 5, 3), 10, np.uint8).tobytes() in set.union(*found(data).values())


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


def kept(data: DataSet) -> set[tuple[bytes, str]]:
    """(pixels, class) of all images."""
    groups = [(data.images(group), data.labels(group)) for group in ("train", "test")]  # type: ignore[arg-type]
    return {(i.tobytes(), data.classes[n]) for x, y in groups for i, n in zip(x, y.tolist(), strict=True)}


PLAIN = {(image.tobytes(), str(label)) for image, label in zip(X, Y, strict=True)}


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


def write_table(path: Path, header: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]), "utf-8")
    return path


def numbered(count: int, form: str) -> list[str]:
    return [form.format(i=i, label="ab"[i % 2]) for i in range(count)]


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("file_name,label", "pictures/png{i}.png,{label}"),
        ("ID,Category,Path", "{i},{label},pictures/png{i}.png"),
        ('"filename","class"', '"pictures/../pictures/png{i}.png","{label}"'),
    ],
)
def test_a_table_of_files(tmp_path: Path, header: str, form: str) -> None:
    written = images(tmp_path / "data/pictures", 20)
    path = write_table(tmp_path / "data/table.csv", header, numbered(20, form))
    data = import_data(path)
    assert kept(data) == {(pixels, "ab"[i % 2]) for i, pixels in enumerate(written)}
    assert counts(data) == {"a": (7, 1, 2), "b": (7, 1, 2)}


def test_a_table_says_which_part_a_file_is_of(tmp_path: Path) -> None:
    written = images(tmp_path / "pictures", 20)
    part = ["Train"] * 12 + ["valid"] * 4 + ["test"] * 4
    rows = [f"{row},{part[i]}" for i, row in enumerate(numbered(20, "pictures/png{i}.png,{label}"))]
    data = import_data(write_table(tmp_path / "table.csv", "image,label,split", rows))
    assert found(data) == {
        "train": set(written[:12]), "validation": set(written[12:16]), "test": set(written[16:])
    }  # fmt: skip
    with pytest.raises(UnusableInputError, match="has the split 'spare', which is none of train, val and test"):
        import_data(write_table(tmp_path / "table.csv", "image,label,split", [rows[0].replace("Train", "spare")]))


@pytest.mark.parametrize("of_each_part", [False, True])
def test_metadata_of_a_folder(tmp_path: Path, of_each_part: bool) -> None:
    train, test = images(tmp_path / "train", 16), images(tmp_path / "test", 6)
    if of_each_part:
        for part, count in (("train", 16), ("test", 6)):
            write_table(tmp_path / part / "metadata.csv", "file_name,label", numbered(count, "png{i}.png,{label}"))
    else:
        rows = numbered(16, "train/png{i}.png,{label}") + numbered(6, "test/png{i}.png,{label}")
        write_table(tmp_path / "metadata.csv", "file_name,label", rows)
    data = import_data(tmp_path)
    assert found(data)["test"] == set(test)
    assert kept(data) == {(pixels, "ab"[i % 2]) for part in (train, test) for i, pixels in enumerate(part)}


def test_metadata_without_labels_leaves_the_class_folders(tmp_path: Path) -> None:
    images(tmp_path / "a", 8), images(tmp_path / "b", 8)
    write_table(tmp_path / "metadata.csv", "file_name,caption", ["a/png0.png,something"])
    assert import_data(tmp_path).classes == ("a", "b")


def test_rows_without_label_and_labels_that_are_numbers(tmp_path: Path) -> None:
    images(tmp_path / "x", 20)
    rows = [f"x/png{i}.png,{1 + i % 2 if i < 18 else ''}" for i in range(20)]
    write_table(tmp_path / "table.csv", "file,label", rows)
    (tmp_path / "table.classes.txt").write_text("no\nyes\n")
    data = import_data(tmp_path / "table.csv")
    assert data.classes == ("no", "yes")
    assert "2 of 20 rows have no label: unlabelled images can't be used." in data.notes


def test_a_tables_fingerprint_is_of_its_files_too(tmp_path: Path) -> None:
    images(tmp_path / "x", 4)
    path = write_table(tmp_path / "table.csv", "file,label", numbered(4, "x/png{i}.png,{label}"))
    before = fingerprint(path)
    Image.new("L", (6, 5)).save(tmp_path / "x/png2.png")
    assert fingerprint(path) != before


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("/etc/passwd,a", "etc/passwd leads to /etc/passwd, outside of"),
        ("../../secret.png,a", "outside of"),
        ("x/gone.png,a", "gone.png does not exist"),
        (",a", "is not a regular file"),
        ("table.csv,a", "table.csv is not a whole image"),
    ],
)
def test_a_table_names_images_inside_its_folder_only(tmp_path: Path, row: str, says: str) -> None:
    images(tmp_path / "data/x", 4)
    path = write_table(tmp_path / "data/table.csv", "file,label", [*numbered(4, "x/png{i}.png,{label}"), row])
    with pytest.raises(UnusableInputError, match=says):
        import_data(path)


def test_a_table_without_the_columns_names_those_it_has(tmp_path: Path) -> None:
    path = write_table(tmp_path / "table.csv", "a,b", ["1,2"])
    with pytest.raises(UnusableInputError, match="must have a column file_name and one label; it has a, b"):
        import_data(path)
