"""Settings and data that break the numbers: a right answer, or an error that says what to do."""

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.fashion_mnist import FILES
from tasks.experiment.data.formats.images.image_files import read_image
from tasks.experiment.data.formats.reading import read_data
from tasks.experiment.data.pixels import load_pixels
from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.errors import UnusableInputError
from tasks.normalize import normalize
from tests.support.runs import QUICK, run_experiment

pytestmark = pytest.mark.usefixtures("prefect_server")
LAST_SEED = 2**31
DATA = DataSet(classes=("a", "b"), image_shape=(28, 28), validation_images=5_000)


def trained(artifacts: Path) -> set[Path]:
    return {path for stage in ("train_A", "train_B_scratch") for path in (artifacts / "store" / stage).glob("*")}


@pytest.mark.fault("{settings}", "refused before anything is trained, by one sentence with what to give instead")
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"target_samples": 10_990},
            "target_samples is 10990, but task B has 10989 training images: give 10989 at most",
        ),
        ({"target_samples": 6_000, "balanced": True}, "training images of each class: give 5"),
        ({"target_samples": 2}, "the first 2 images of task B are all of one class: give more target_samples"),
        (
            {"target_samples": 4, "tuning": "cv"},
            "takes 2 labelled images of each class, but the first 4 images of task B have 1 of Pullover: give more",
        ),
    ],
    ids=[
        "more images of B than there are",
        "more of each class than there are",
        "a subset of B of one class",
        "tuning with a single image of a class",
    ],
)
def test_refused(settings: dict[str, Any], says: str, artifacts_copy: Path) -> None:
    before = trained(artifacts_copy)
    with pytest.raises(ValueError, match=says):
        run_experiment(experiment=QUICK.model_copy(update=settings), seed=7)
    assert trained(artifacts_copy) == before


@pytest.mark.slow
@pytest.mark.fault(
    "one seed of several diverges (63, on raw pixels)",
    "the error names stage, seed and remedy; the others' results are kept",
)
def test_one_seed_diverges(artifacts_copy: Path) -> None:
    experiment = QUICK.vary(normalization="none", target_epochs=20)
    says = r"train_B_scratch seed 63: the loss is .* diverged; give a lower learning_rate than 0\.001"
    with pytest.raises(ArithmeticError, match=says):
        run_experiment(experiment=experiment, seed=62)
    metrics, states = run_experiment(experiment=experiment, seed=62, replicates=1)
    assert metrics["replicates"][0]["seed"] == 62
    assert {state for name, state in states.items() if "seed" in name} == {"Cached"}


@pytest.mark.slow
@pytest.mark.fault("valid, but odd: {settings}, and the last seed of all", "it runs, and its figures are right")
@pytest.mark.parametrize(
    "settings",
    [
        {"target_samples": 10_989, "batch_size": 4096, "frozen_epochs": 3},
        {"target_samples": 4, "target_classes": ("9", "sneaker"), "hidden_layers": 8, "hidden_units": 1},
        {"target_samples": 2, "balanced": True, "learning_rate": 1e-300},
        {"target_samples": 40, "batch_size": 1},
    ],
    ids=str,
)
def test_odd_but_valid(settings: dict[str, Any], artifacts_copy: Path) -> None:
    metrics, _ = run_experiment(experiment=QUICK.vary(**settings), replicates=1, seed=LAST_SEED)
    assert metrics["replicates"][0]["seed"] == LAST_SEED
    for arm in ("scratch", "transfer"):
        scores = metrics["replicates"][0][arm]
        (a, b), (c, d) = scores["confusion"]
        assert a + b == c + d == 1000
        assert scores["accuracy"] == pytest.approx((a + d) / 2000)
        assert np.isfinite(scores["loss"])
    assert "NaN" not in json.dumps(metrics)


def write_idx(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.mark.slow
@pytest.mark.fault(
    "images that are constant", "no division by zero: the pixels' standard deviation is 1, losses are finite"
)
def test_constant_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.experiment.networks.blueprints import PixelsBlueprint
    from tasks.experiment.networks.train_network import train_network

    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    images = np.full((6_000, 28, 28), 7, np.uint8)
    write_idx(tmp_path / "data" / "raw" / "train-images-idx3-ubyte", images)
    pixels = load_pixels(normalize.fn(DATA, "standardize").folder())
    assert (pixels.mean == 7).all()
    assert (pixels.std == 1).all()
    rows = np.arange(100, dtype=np.int32)
    examples = Examples(rows, rows % 2)
    data = TrainingData(images, examples, examples, classes=2)
    _, epochs = train_network(PixelsBlueprint(pixels), data, QUICK.scratch_training, 1, task="B")
    assert [epoch for epoch in epochs if not np.isfinite(list(vars(epoch).values())).all()] == []


@pytest.mark.fault("an IDX file with {what}", "refused by name before memory is taken")
@pytest.mark.parametrize(
    ("what", "header"),
    [
        ("a wrong magic number", bytes([1, 2, 8, 3])),
        ("another type of numbers", bytes([0, 0, 13, 3])),
        ("255 dimensions", bytes([0, 0, 8, 255])),
        ("no dimensions", bytes([0, 0, 8, 0])),
        ("gigantic sizes", struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1)),
        ("sizes whose product overflows to the right one", struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 4)),
        ("more images in the header than there are", struct.pack(">BBBB3I", 0, 0, 8, 3, 11, 28, 28)),
        ("fewer images in the header than there are", struct.pack(">BBBB3I", 0, 0, 8, 3, 9, 28, 28)),
        ("nothing in it", b""),
    ],
)
def test_hostile_idx(what: str, header: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path))
    file = tmp_path / "raw" / next(iter(FILES))
    file.parent.mkdir()
    file.write_bytes(header + (bytes(10 * 28 * 28) if header else b""))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"{file}: not an IDX file of bytes"):
            DATA.images("train")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def hostile_npz(path: Path, how: str) -> None:
    np.savez(path, x_train=np.zeros((12, 8, 8), np.uint8), y_train=np.arange(12) % 2)
    content = bytearray(path.read_bytes())
    match how:
        case "encrypted":
            for start in (b"PK\x03\x04", b"PK\x01\x02"):
                at = content.find(start) + (6 if start == b"PK\x03\x04" else 8)
                content[at] |= 1
            path.write_bytes(content)
        case "packed by an unknown method":
            for start in (b"PK\x03\x04", b"PK\x01\x02"):
                at = content.find(start) + (8 if start == b"PK\x03\x04" else 10)
                content[at] = 77
            path.write_bytes(content)
        case "with a shape for which there is no memory":
            header = (
                b"{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 8, 8), }".ljust(117) + b"\n"
            )
            with zipfile.ZipFile(path, "w") as members:
                members.writestr("x_train.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


@pytest.mark.fault("an .npz file {how}", "refused in one sentence")
@pytest.mark.parametrize(
    "how", ["encrypted", "packed by an unknown method", "with a shape for which there is no memory"]
)
def test_hostile_npz(how: str, tmp_path: Path) -> None:
    hostile_npz(tmp_path / "data.npz", how)
    with pytest.raises(UnusableInputError, match=r"data\.npz is not a whole \.npz file"):
        read_data(tmp_path / "data.npz")


@pytest.mark.fault("a {kind} file that is named x.png", "refused: no other format is even tried")
@pytest.mark.parametrize("kind", ["EPS", "PCX", "SGI", "ICO", "PDF"])
def test_other_format(kind: str, tmp_path: Path) -> None:
    """Pillow would start Ghostscript for the first one."""
    Image.new("L", (8, 8)).save(tmp_path / "x.png", format=kind)
    with pytest.raises(UnusableInputError, match="is not a whole image of a kind"):
        read_image(tmp_path / "x.png")
