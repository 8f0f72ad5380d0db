"""Real images in every layout that can be read."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.ingestion import import_data, set_aside
from tasks.experiment.data.inspection import class_counts
from tests.walkthrough import digits

X, Y = digits.load()
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_idx_folder(folder: Path) -> Path:
    folder.mkdir()
    write_idx(folder / "train-images-idx3-ubyte", X[:300])
    write_idx(folder / "train-labels-idx1-ubyte", Y[:300])
    write_idx(folder / "t10k-images-idx3-ubyte.gz", X[300:400])
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", Y[300:400])
    return folder


def content(data: DataSet, part: str) -> list[tuple[bytes, str]]:
    """(pixels, class name) of each image, in the order of pixels."""
    images, labels = data.images(part), data.labels(part)  # type: ignore[arg-type]
    return sorted((image.tobytes(), data.classes[label]) for image, label in zip(images, labels, strict=True))


def expected(start: int, stop: int, names: tuple[str, ...]) -> list[tuple[bytes, str]]:
    return sorted((image.tobytes(), names[label]) for image, label in zip(X[start:stop], Y[start:stop], strict=True))


def test_npz_and_idx_hold_the_same_images_in_the_same_order(tmp_path: Path) -> None:
    from_npz = import_data(digits.write_npz_with(tmp_path / "digits.npz"))
    assert from_npz.classes == tuple("0123456789")
    assert from_npz.image_shape == (8, 8)
    assert content(from_npz, "train") == expected(0, 300, from_npz.classes)
    assert content(from_npz, "test") == expected(300, 400, from_npz.classes)
    assert import_data(write_idx_folder(tmp_path / "idx")) == from_npz  # the handle's digest is that of the content


@pytest.mark.parametrize("below_train", [False, True])
def test_class_folders(tmp_path: Path, below_train: bool) -> None:
    folder = digits.write_folder(tmp_path / "digits" / ("train" if below_train else ""), images=300)
    (folder / "zero" / "notes.txt").write_text("no image")
    (folder / ".hidden").mkdir()
    if below_train:
        for i in range(300, 400):
            place = tmp_path / "digits/test" / NAMES[Y[i]]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(X[i]).save(place / f"{i}.PNG")
    data = import_data(tmp_path / "digits")
    assert data.classes == tuple(sorted(NAMES))
    everything = content(data, "train") + ([] if below_train else content(data, "test"))
    assert sorted(everything) == expected(0, 300, NAMES)
    assert bool([note for note in data.notes if "no test images" in note]) != below_train, data.notes
    if below_train:
        assert content(data, "test") == expected(300, 400, NAMES)


def test_colour_jpeg_grey_and_transparent_images_become_rgb(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name, mode in (("a", "RGB"), ("a", "RGBA"), ("b", "L"), ("b", "P")):
        for number in range(6):
            (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(rng.integers(0, 256, (12, 20, 3), np.uint8)).convert(mode)
            picture.save(tmp_path / "data" / name / f"{mode}{number}.png")
    Image.fromarray(rng.integers(0, 256, (12, 20, 3), np.uint8)).save(tmp_path / "data/a/photo.jpeg")
    assert import_data(tmp_path / "data").image_shape == (12, 20, 3)


def test_names_come_from_the_side_file(tmp_path: Path) -> None:
    path = digits.write_npz_with(tmp_path / "digits.npz")
    (tmp_path / "digits.classes.txt").write_text("\n".join(NAMES))
    before = fingerprint(path)
    assert import_data(path).classes == NAMES
    (tmp_path / "digits.classes.txt").write_text("\n".join(reversed(NAMES)))
    assert fingerprint(path) != before


def test_classes_are_mixed_and_validation_and_test_hold_a_share_of_each(tmp_path: Path) -> None:
    order = np.argsort(Y[:300], kind="stable")
    data = import_data(
        digits.write_npz_with(tmp_path / "d.npz", x_train=X[order], y_train=Y[order], x_test=None, y_test=None)
    )
    for row in class_counts(data):
        total = row["training"] + row["validation"] + row["test"]
        assert row["test"] == round(total / 5)
        assert row["validation"] == round((total - row["test"]) / 10)
    assert len(set(data.labels("train")[:30].tolist())) >= 8
    assert import_data(tmp_path / "d.npz") == data


def test_every_class_gives_one_image_at_least() -> None:
    kept, aside = set_aside(np.array([0] * 50 + [1] * 2), 10, "validation")
    assert np.bincount(np.array([0] * 50 + [1] * 2)[aside]).tolist() == [5, 1]
    assert sorted([*kept, *aside]) == list(range(52))


def test_what_looks_suspicious_is_told(tmp_path: Path) -> None:
    train = X[:300].copy()
    train[5] = train[6] = 0  # of different classes
    test = X[300:400].copy()
    test[:3] = train[10:13]
    test[3] = 77
    notes = " ".join(import_data(digits.write_npz_with(tmp_path / "d.npz", x_train=train, x_test=test)).notes)
    assert "3 test images of 100 are in the training images too" in notes
    assert "1 training image has a twin of another class" in notes
    assert "2 training images are of a single colour" in notes
    assert "1 test image is of a single colour" in notes
    few = " ".join(import_data(digits.write_npz_with(tmp_path / "few.npz", x_train=X[:100], y_train=Y[:100])).notes)
    assert "Few training images: 0 (" in few


def test_content_not_place_or_time_is_what_counts(tmp_path: Path) -> None:
    path = digits.write_folder(tmp_path / "one" / "digits", images=60)
    other = digits.write_folder(tmp_path / "two" / "digits", images=60)
    assert fingerprint(path) == fingerprint(other)
    picture = next(other.rglob("*.png"))
    picture.rename(picture.with_name("renamed.png"))
    assert fingerprint(path) != fingerprint(other)
