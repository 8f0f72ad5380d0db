"""What pixels a model takes: as it was told, as its layers say, or as its own answers do."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from pydantic import TypeAdapter, ValidationError

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.bodies.pixels import (
    PixelKind,
    SourcePixels,
    Standardized,
    pixel_notes,
    scaling_inside,
    scaling_to,
    try_ranges,
)
from tasks.experiment.networks.trainer import set_threads
from tests.support.bodies import load_body
from tests.walkthrough import digits

set_threads()  # before anything computes
X, Y = digits.load()


def flat(*before: Any, classes: int = 10) -> Any:
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            *before,
            layers.Flatten(),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def trained_on(scale: float, offset: float, classes: int = 10) -> Any:
    keras.utils.set_random_seed(2)
    model, known = flat(classes=classes), classes > Y
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X[known] * scale + offset, Y[known], epochs=8, verbose=0)
    return model


@pytest.fixture(scope="module")
def on_fractions() -> Any:
    return trained_on(1 / 255, 0)


@pytest.mark.parametrize(
    ("pixels", "black", "white"),
    [
        ("0-255", 0, 255),
        ("0-1", 0, 1),
        ("-1-1", -1, 1),
        (Standardized(mean=(0.5,), std=(0.25,)), -2, 2),
    ],
)
def test_the_model_gets_the_pixels_that_it_was_trained_on(
    tmp_path: Path, pixels: PixelKind, black: float, white: float
) -> None:
    flat().save(tmp_path / "flat.keras")
    whole = keras.saving.load_model(tmp_path / "flat.keras")
    hidden = keras.Model(whole.inputs[0], whole.get_layer("hidden").output)
    body = load_body(tmp_path / "flat.keras", None, (8, 8), pixels)
    images = np.stack([np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)])
    given = np.stack([np.full((8, 8), black, np.float32), np.full((8, 8), white, np.float32)])
    np.testing.assert_allclose(body(images), hidden(given), rtol=1e-4, atol=1e-5)


def test_each_channel_may_have_its_own_mean_and_deviation() -> None:
    scale, offset = scaling_to(Standardized(mean=(0.5, 0.4, 0.2), std=(0.5, 0.2, 0.1)), channels=3)
    np.testing.assert_allclose(np.array([0, 255, 51]) * scale + offset, [-1, 3, 0], atol=1e-12)
    with pytest.raises(UnusableInputError, match="source_pixels has 3 means, but the images have 1 channel: give one"):
        scaling_to(Standardized(mean=(0.5, 0.4, 0.2), std=(0.5, 0.2, 0.1)), channels=1)


def test_how_people_write_them() -> None:
    read = TypeAdapter(SourcePixels).validate_python
    assert [read(given) for given in ("0–1", "−1–1", "0-255")] == ["0-1", "-1-1", "0-255"]
    assert read({"mean": [0.5], "std": [0.5]}) == Standardized(mean=(0.5,), std=(0.5,))
    for bad in ("0-2", {"mean": [0.5, 0.5], "std": [0.5]}, {"mean": [0.5], "std": [0]}):
        with pytest.raises(ValidationError):
            read(bad)


def pixels_divided() -> Any:
    images = keras.Input((8, 8))
    return keras.Model(images, layers.Dense(2)(layers.Flatten()(images / 127.5 - 1)))


@pytest.mark.parametrize(
    ("make", "by"),
    [
        (lambda: flat(layers.Rescaling(1 / 255, name="scale")), "scale"),
        (lambda: flat(layers.Normalization(mean=3, variance=2, name="norm")), "norm"),
        (lambda: flat(keras.Sequential([layers.Rescaling(1 / 255, name="scale")], name="first")), "first/scale"),
        (pixels_divided, "true_divide"),
        (flat, None),
        (lambda: keras.Sequential([flat(), layers.Rescaling(2.0)]), None),
    ],
)
def test_a_model_scales_pixels_itself_if_it_does_before_anything_trained(make: Any, by: str | None) -> None:
    keras.utils.clear_session(free_memory=False)  # layer names count from the start
    assert scaling_inside(make()) == by


@pytest.mark.parametrize(("scale", "offset", "shown"), [(1 / 255, 0, "0-1"), (1 / 127.5, -1, "-1-1"), (1, 0, "0-255")])
def test_a_models_own_answers_show_what_it_was_trained_on(scale: float, offset: float, shown: str) -> None:
    """It knows eight of the ten classes, by numbers of its own: 0 to 7 here, but that is not used."""
    seen = try_ranges(trained_on(scale, offset, classes=8), X[:256], (Y[:256] * 7 + 3) % 10)
    assert seen
    assert seen.range == shown
    assert seen.right[shown] > 0.8


@pytest.mark.parametrize("make", [lambda: flat(), lambda: flat(classes=200), lambda: flat(classes=2)])
def test_an_untrained_model_can_show_nothing(make: Any) -> None:
    keras.utils.set_random_seed(2)
    seen = try_ranges(make(), X[:256], Y[:256])
    assert seen
    assert seen.range is None


def test_features_are_no_answers(on_fractions: Any) -> None:
    hidden = keras.Model(on_fractions.inputs[0], on_fractions.get_layer("hidden").output)
    assert try_ranges(hidden, X[:256], Y[:256]) is None


def test_the_note_says_what_was_seen_and_what_to_set(on_fractions: Any) -> None:
    seen = try_ranges(on_fractions, X[:256], Y[:256])
    assert seen
    (note,) = pixel_notes("m.keras", on_fractions, None, X[:256], Y[:256])
    assert note == (
        "m.keras has no layer that scales pixels and gets them as they are, 0-255, but of 256 images its own answers "
        f"are right on {100 * seen.right['0-1']:.0f} % with pixels of 0-1, and on {100 * seen.right['0-255']:.0f} % "
        "with these: set source_pixels to 0-1."
    )
    assert pixel_notes("m.keras", on_fractions, "0-1", X[:256], Y[:256]) == []
    (note,) = pixel_notes("m.keras", flat(), None, X[:256], Y[:256])
    assert note.startswith(
        "m.keras has no layer that scales pixels: it gets them as they are, 0-255, and says less if it"
    )
    assert "set source_pixels to what it was trained on (0-1 if" in note
    (note,) = pixel_notes("m.keras", flat(layers.Rescaling(1 / 255, name="scale")), "0-1", X[:256], Y[:256])
    assert note == (
        "m.keras scales pixels itself, by its layer scale, after source_pixels has: leave source_pixels out unless it "
        "was trained so."
    )
    assert pixel_notes("m.keras", flat(layers.Rescaling(1 / 255)), None, X[:256], Y[:256]) == []
