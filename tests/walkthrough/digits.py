"""scikit-learn's digits, 1,797 real images of 8 × 8 pixels, as the files that people bring."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def load() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(images, labels): (1797, 8, 8) and (1797,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images * 255 / 16).round().astype(np.uint8), digits.target


def write_npz(path: Path, test: int = 360, shuffled: bool = False) -> Path:
    """As an .npz in Keras' layout; the last `test` images are for test. They are harder, unless `shuffled`."""
    x, y = load()
    if shuffled:
        order = np.random.default_rng(0).permutation(len(x))
        x, y = x[order], y[order]
    cut = len(x) - test
    given = {"x_train": x[:cut], "y_train": y[:cut]}
    np.savez(path, **given | ({"x_test": x[cut:], "y_test": y[cut:]} if test else {}))  # type: ignore[arg-type]
    return path


def write_npz_with(path: Path, **changes: Any) -> Path:
    """As an .npz of 300 images for training and 100 for test, with these arrays instead of others; None: left out."""
    x, y = load()
    arrays = {"x_train": x[:300], "y_train": y[:300], "x_test": x[300:400], "y_test": y[300:400]} | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def write_folder(path: Path, colour: bool = False, images: int = 1797) -> Path:
    """As a folder of class folders, zero/ to nine/."""
    from PIL import Image

    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    x, y = load()
    for number, (image, label) in enumerate(zip(x[:images], y[:images], strict=True)):
        (path / names[label]).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(image)
        (picture.convert("RGB") if colour else picture).save(path / names[label] / f"{number:04}.png")
    return path


def write_model(path: Path, epochs: int = 15) -> Path:
    """A plain Keras model that tells 0 to 7 apart, trained by `fit`; its layer "features" is worth reusing."""
    import keras

    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    x, y = load()
    keras.utils.set_random_seed(7)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu", name="features"),
            layers.Dense(8, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[y < 8][..., None], y[y < 8], epochs=epochs, verbose=0)
    model.save(path)
    return path


if __name__ == "__main__":
    for write, name in ((write_npz, "digits.npz"), (write_folder, "digits"), (write_model, "digits.keras")):
        print(write(Path(name)))  # type: ignore[operator]
