"""Small data sets, written in the layouts that people have, and what was made of them."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.inspection import class_counts

RNG = np.random.default_rng(18)
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)
LABELS = np.arange(12) % 2


def images(folder: Path, count: int, suffix: str = ".png", **options: Any) -> list[bytes]:
    """Write that many different images; their pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        pixels = RNG.integers(0, 256, (6, 5), np.uint8)
        Image.fromarray(pixels).save(folder / f"{suffix[1:]}{number}{suffix}", **options)
        made.append(pixels.tobytes())
    return made


def write_idx(path: Path, array: np.ndarray) -> None:
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + sizes + array.astype(np.uint8).tobytes())


def idx_folder(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for group in ("train", "t10k"):
        write_idx(folder / f"{group}-images-idx3-ubyte", IMAGES)
        write_idx(folder / f"{group}-labels-idx1-ubyte", LABELS)
    (folder / "classes.txt").write_text("a\nb\n")
    return folder


def npz(path: Path) -> Path:
    np.savez(path, x_train=IMAGES, y_train=LABELS)
    path.with_name(f"{path.stem}.classes.txt").write_text("a\nb\n")
    return path


def class_folders(folder: Path) -> Path:
    for part in ("train", "test"):
        for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
            place = folder / part / "ab"[label] / "more"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{number}.png")
    return folder


def found(data: DataSet) -> dict[str, set[bytes]]:
    training, validation = data.training_and_validation(data.images("train"))
    by_part = {"train": training, "validation": validation, "test": data.images("test")}
    return {part: {image.tobytes() for image in array} for part, array in by_part.items()}


def counts(data: DataSet) -> dict[str, tuple[int, int, int]]:
    return {row["class"]: (row["training"], row["validation"], row["test"]) for row in class_counts(data)}


def kept(data: DataSet) -> set[tuple[bytes, str]]:
    """(pixels, class) of all images."""
    groups = [(data.images(group), data.labels(group)) for group in ("train", "test")]  # type: ignore[arg-type]
    return {(i.tobytes(), data.classes[n]) for x, y in groups for i, n in zip(x, y.tolist(), strict=True)}
