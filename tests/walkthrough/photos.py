"""Tiles of two photographs that scikit-learn ships, as a folder of photos, and a model with a nested backbone.

`python -m tests.walkthrough.photos` writes photos/ and backbone.keras.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE, TEST = 16, 1000  # pixels; how many of the 2,080 tiles are for test
PLACES = 4  # quarters of a photograph, from left to right: what the model was trained to tell


def load() -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """(tiles, photographs, quarters): (2080, 16, 16, 3), (2080,) and (2080,), in an order without meaning."""
    from sklearn.datasets import load_sample_images

    tiles, photographs, quarters = [], [], []
    for number, photograph in enumerate(load_sample_images().images):
        for top in range(0, photograph.shape[0] - SIDE + 1, SIDE):
            for left in range(0, photograph.shape[1] - SIDE + 1, SIDE):
                tiles.append(photograph[top : top + SIDE, left : left + SIDE])
                photographs.append(number)
                quarters.append(left * PLACES // photograph.shape[1])
    order = np.random.default_rng(0).permutation(len(tiles))
    return np.stack(tiles)[order], np.array(photographs)[order], np.array(quarters)[order]


def write_folder(path: Path) -> Path:
    """train/ and test/, each with china/ and flower/."""
    from PIL import Image

    tiles, photographs, _ = load()
    for number, (tile, photograph) in enumerate(zip(tiles, photographs, strict=True)):
        folder = path / ("test" if number < TEST else "train") / ("china", "flower")[photograph]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(tile).save(folder / f"{number:04}.png")
    return path


def write_model(path: Path, epochs: int = 10) -> Path:
    """A head on a backbone that is a model itself, trained by `fit` to tell from which quarter a tile is."""
    import keras

    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    tiles, _, quarters = load()
    keras.utils.set_random_seed(7)
    layers, image = keras.layers, keras.Input((SIDE, SIDE, 3))
    backbone = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(name="pool"),
        ],
        name="backbone",
    )
    answer = layers.Dense(PLACES, activation="softmax")(backbone(layers.Rescaling(1 / 255)(image)))
    model = keras.Model(image, answer)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(tiles[TEST:], quarters[TEST:], epochs=epochs, verbose=0)
    model.save(path)
    return path


if __name__ == "__main__":
    write_folder(Path("photos"))
    write_model(Path("backbone.keras"))
