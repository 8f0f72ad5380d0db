"""Images of several sizes, and large ones, made one size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.experiment.data import fashion_mnist
from tasks.experiment.data.fitting import Frame, Sizing, chosen_size, made_colour, made_to_fit
from tasks.experiment.data.formats.images.image_files import ImageFile, image_size
from tasks.experiment.data.ingestion import fitted, import_data
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.prediction import fit

# Three columns, black, grey and white, of two rows and two pixels each.
BANDS = np.repeat(np.array([[0, 100, 255]] * 2, np.uint8), 2, axis=1)


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def write(folder: Path, *sizes: tuple[int, int], each: int = 5) -> Path:
    """`each` images of two classes for every (height, width)."""
    rng = np.random.default_rng(0)
    for name in "ab":
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, (height, width) in enumerate(sizes * each):
            Image.fromarray(rng.integers(0, 256, (height, width), np.uint8)).save(folder / name / f"{number}.png")
    return folder


def test_stretch_crop_and_pad_by_hand() -> None:
    def columns(fit: str, height: int, width: int) -> list[int]:
        made = made_to_fit(BANDS, Frame(height, width, fit))  # type: ignore[arg-type]
        assert made.shape == (height, width)
        return made[height // 2].tolist()

    assert columns("crop", 2, 2) == [100, 100]  # the middle
    assert columns("pad", 6, 6) == BANDS[0].tolist()
    assert made_to_fit(BANDS, Frame(6, 6, "pad"))[:2].max() == 0  # black above
    stretched = columns("stretch", 2, 3)
    assert stretched[0] < 30 < 80 < stretched[1] < 130 < 225 < stretched[2]
    assert made_to_fit(BANDS, Frame(2, 6, "pad")) is BANDS


def test_grey_and_colour_as_pillow_has_them() -> None:
    colour = np.random.default_rng(0).integers(0, 256, (3, 9, 9, 3), np.uint8)
    grey = made_colour(colour, False)
    assert grey.tolist() == [np.asarray(Image.fromarray(image).convert("L")).tolist() for image in colour]
    assert made_colour(grey, True)[..., 2].tolist() == grey.tolist()
    assert made_colour(grey, None) is made_colour(grey, False) is grey


def test_what_becomes_one_pixel_is_averaged() -> None:
    checks = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    assert np.abs(made_to_fit(checks, Frame(8, 8, "stretch")).astype(int) - 127).max() <= 2


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ([(20, 10), (30, 16), (40, 90)], (30, 16)),
        ([(3000, 4000)] * 3, (96, 128)),
        ([(5, 2000)], (1, 128)),
    ],
)
def test_the_chosen_size_is_the_median_within_the_limit(sizes: list[tuple[int, int]], chosen: tuple[int, int]) -> None:
    assert chosen_size(sizes) == chosen


def test_images_of_several_sizes_are_made_their_median_size_and_that_is_said(tmp_path: Path) -> None:
    data = import_data(write(tmp_path / "data", (10, 20), (12, 16), (14, 18)))
    assert data.image_shape == (12, 18)
    assert (
        "Images of 16 × 10 to 20 × 14 pixels (width × height) were made 18 × 12 by image_fit stretch: "
        "set image_size for another size."
    ) in data.notes


def test_large_images_are_made_smaller_and_those_of_one_size_stay(tmp_path: Path) -> None:
    large = import_data(write(tmp_path / "large", (300, 200)))
    assert large.image_shape == (128, 85)
    assert large.notes[0].startswith("Images of 200 × 300 pixels (width × height) were made 85 × 128 by")
    plain = import_data(write(tmp_path / "plain", (256, 30)))
    assert plain.image_shape == (256, 30)
    assert not [note for note in plain.notes if "image_fit" in note]


def test_a_wanted_size_holds_for_files_and_for_arrays(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", (10, 20))
    sizing = Sizing(size=(6, 7), fit="crop")
    data = import_data(folder, sizing)
    assert data.image_shape == (6, 7)
    assert data.notes == import_data(folder).notes  # nothing to say: it was asked for
    images = np.stack([np.asarray(Image.open(file)) for name in "ab" for file in sorted((folder / name).iterdir())])
    np.savez(
        tmp_path / "data.npz",
        x_train=images,
        y_train=np.repeat([0, 1], 5),
        x_test=np.zeros((4, 9, 9)),
        y_test=[0, 1, 0, 1],
    )
    arrays = import_data(tmp_path / "data.npz", sizing)
    assert arrays.image_shape == (6, 7)
    made = {made_to_fit(image, Frame(6, 7, "crop")).tobytes() for image in images}
    assert {image.tobytes() for image in arrays.images("train")} == made
    with pytest.raises(UnusableInputError, match=r"its test images \(9, 9\): they must be the same, or be made so by"):
        import_data(tmp_path / "data.npz")


def test_arrays_of_large_images(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (10, 20, 512, 3), np.uint8)
    np.savez(tmp_path / "data.npz", x_train=images, y_train=np.arange(10) % 2)
    assert import_data(tmp_path / "data.npz").image_shape == (5, 128, 3)


def test_a_turned_photo_has_its_upright_size(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (20, 10)).save(tmp_path / "turned.jpg", exif=exif)
    Image.new("L", (20, 10)).save(tmp_path / "plain.jpg")
    assert image_size(tmp_path / "turned.jpg") == (20, 10)
    assert image_size(tmp_path / "plain.jpg") == (10, 20)


def test_a_kept_model_gets_images_as_it_was_trained_on_them() -> None:
    image = ImageFile(BANDS, 1)
    for how in ("stretch", "crop", "pad"):
        pixels, notes = fit(image, (2, 2), how)
        assert pixels.tolist() == made_to_fit(BANDS, Frame(2, 2, how)).tolist()
        assert notes == ("resized from 6 × 2 to 2 × 2 pixels" + ("" if how == "stretch" else f" by {how}"),)


def test_the_known_data_set_can_be_made_another_size(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8), np.arange(6)
    monkeypatch.setattr(
        "tasks.experiment.data.dataset.read_idx", lambda path: images if "images" in path.name else labels
    )
    data = fitted(fashion_mnist.data_set(), Sizing(size=(25, 24)))
    assert data.image_shape == (25, 24)
    assert fitted(fashion_mnist.data_set(), Sizing(size=(28, 28), colour=False)) == fashion_mnist.data_set()
    assert fitted(fashion_mnist.data_set(), Sizing()) == fashion_mnist.data_set()
    assert fitted(fashion_mnist.data_set(), Sizing(colour=True)).images("test").shape == (6, 28, 28, 3)
    assert not data.raw
    assert data.images("test").shape == (6, 25, 24)
    assert data.labels("train").tolist() == list(range(6))
