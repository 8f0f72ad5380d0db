"""Data that can't be used, refused in one sentence each."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.experiment.data.ingestion import import_data
from tasks.experiment.errors import UnusableInputError
from tests.support.datasets import idx_folder
from tests.walkthrough import digits

X, Y = digits.load()
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


class Explosive:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("exploded"),))


BOMB = np.array([Explosive()] * 300, dtype=object)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"y_train": None}, "must hold x_train and y_train"),
        ({"x_test": None}, "must hold x_test and y_test"),
        ({"x_train": X[:300].reshape(300, 64)}, "has the shape (300, 64): give (images, height, width)"),
        ({"x_train": np.zeros((300, 8, 8, 4), np.uint8)}, "(300, 8, 8, 4)"),
        ({"x_train": X[:300] / 255}, "0 to 255 in whole numbers"),
        ({"x_train": X[:300].astype(np.int64) - 1}, "0 to 255 in whole numbers"),
        ({"x_train": np.full((300, 8, 8), np.nan)}, "0 to 255 in whole numbers"),
        ({"y_train": Y[:299]}, "has 300 images, but labels of shape (299,)"),
        ({"y_train": np.full((300, 10), 0.1)}, "labels of shape (300, 10), which are not one-hot"),
        ({"y_train": np.eye(10)[Y[:300]] + np.eye(10)[0]}, "which are not one-hot"),
        ({"y_train": Y[:300] - 1}, "whole numbers from 0"),
        ({"y_train": Y[:300] + 0.5}, "whole numbers from 0"),
        ({"y_train": np.array(NAMES)[Y[:300]]}, "some labels beside x_train"),
        ({"y_train": Y[:300] << 40}, "go to 9895604649984: give smaller numbers, or names"),
        ({"y_train": np.arange(300), "y_test": None, "x_test": None}, "3 training images of 0, 1, 2"),
        ({"y_train": np.zeros(300, int), "y_test": np.zeros(100, int)}, "one class only (0)"),
        ({"y_train": Y[:300] % 9}, "test images of classes without training images: 9"),
        ({"y_train": np.where(np.arange(300) == 7, 10, Y[:300])}, "2 training images of 10"),
        ({"x_test": np.zeros((100, 9, 9), np.uint8)}, "(8, 8) and its test images (9, 9)"),
        ({"y_train": BOMB}, "arrays of Python objects, which could run code"),
    ],
)
def test_an_npz_that_cant_be_used_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnusableInputError) as refused:
        import_data(digits.write_npz_with(tmp_path / "bad.npz", **changes))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "artifacts").exists()


def one_class(folder: Path) -> None:
    for name in NAMES[1:]:
        (folder / name).rename(folder.parent / name)


def one_image(folder: Path) -> None:
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / "0.png")


def damage(change: Any, file: str = "three/0003.png") -> Any:
    return lambda folder: (folder / file).write_bytes(change((folder / file).read_bytes()))


def unseen(folder: Path) -> None:
    names = [entry.name for entry in folder.iterdir()]
    for part in ("train", "test"):
        (folder / part).mkdir()
    for name in names:
        (folder / name).rename(folder / ("test" if name == "nine" else "train") / name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (one_class, "one class only (zero)"),
        (damage(lambda content: content[:-30]), "three/0003.png is not a whole image of a kind"),
        (damage(lambda content: b"GIF89a"), "three/0003.png is not a whole image of a kind"),
        (damage(lambda content: b""), "three/0003.png is not a whole image of a kind"),
        (lambda folder: Image.new("I;16", (8, 8)).save(folder / "two/deep.png"), "convert it to 8 bits"),
        (lambda folder: one_image(folder / "ten"), "fewer than 3 training images of ten"),
        (lambda folder: one_image(folder / "ONE"), "two classes with the name 'one'"),
        (unseen, "has classes that"),
    ],
    ids=[
        "one class",
        "truncated",
        "no image",
        "empty",
        "16 bits",
        "one image",
        "twice",
        "unseen",
    ],
)
def test_a_folder_that_cant_be_used_is_refused_in_one_sentence(tmp_path: Path, change: Any, says: str) -> None:
    folder = digits.write_folder(tmp_path / "digits", images=100)
    change(folder)
    with pytest.raises(UnusableInputError) as refused:
        import_data(folder)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "does not exist: give"),
        (lambda path: path.write_text("text"), "is not a kind of data that can be read"),
        (lambda path: path.mkdir(), "holds no class folders"),
        (lambda path: idx_folder(path) / "train-labels-idx1-ubyte", None),
    ],
)
def test_what_is_no_data_at_all(tmp_path: Path, make: Any, says: str | None) -> None:
    made = make(tmp_path / "data")
    if says is None:
        made.write_bytes(made.read_bytes()[:-1])
        says = "not of the size that its header tells"
    with pytest.raises(UnusableInputError, match=says):
        import_data(tmp_path / "data")


def test_who_gives_no_data_is_told_every_layout(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError) as refused:
        import_data(tmp_path / "gone")
    for layout in (
        "IDX files (train-images-idx3-ubyte, …), an .npz",
        "x_train, y_train",
        "Parquet files with the columns image and label",
        "or a .zip, .tar or .tar.gz of one of these",
    ):
        assert layout in str(refused.value)


def test_a_damaged_npz(tmp_path: Path) -> None:
    path = digits.write_npz_with(tmp_path / "d.npz")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UnusableInputError, match="not a whole"):
        import_data(path)


def test_an_npz_that_unpacks_to_more_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.experiment.data.formats.arrays.npz.MAX_BYTES", 10_000)
    with pytest.raises(UnusableInputError, match="holds more than 0 GiB, the limit"):
        import_data(digits.write_npz_with(tmp_path / "d.npz"))
