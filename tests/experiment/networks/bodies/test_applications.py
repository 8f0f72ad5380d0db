"""Keras Applications by name; their weights from a file, or from a site, which is a server on loopback here."""

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.applications import densenet, efficientnet, imagenet_utils, mobilenet_v2
from pydantic import ValidationError

from tasks.experiment.data.fitting import Sizing
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.bodies.applications import (
    SIDES,
    Application,
    open_application,
    own_scaling,
    parse_application,
)
from tasks.experiment.networks.bodies.body import make_body
from tasks.experiment.networks.model_files import load_network, save_model
from tasks.experiment.networks.trainer import set_threads
from tasks.experiment.settings import Experiment

set_threads()  # before anything computes
SHAPE = (32, 32, 3)
IMAGES = np.random.default_rng(3).integers(0, 256, (3, *SHAPE), np.uint8)


def test_the_table_holds_all_of_keras_applications_and_their_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(Exception):  # noqa: N818 (it ends the building of a network once its size is known)
        pass

    def ask(*arguments: Any, default_size: int, **options: Any) -> None:
        raise Asked(default_size)

    monkeypatch.setattr(imagenet_utils, "obtain_input_shape", ask)
    sides = {"MobileNetV3Large": 224, "MobileNetV3Small": 224}  # they take any size; their documentation says 224
    for name in (each for each in dir(keras.applications) if each[0].isupper() and each not in sides):
        with pytest.raises(Asked) as asked:
            getattr(keras.applications, name)(weights=None)
        sides[name] = asked.value.args[0]
    assert sides == SIDES


def test_what_is_meant_by_a_name() -> None:
    assert parse_application("keras:MobileNetV2") == Application("MobileNetV2", None)
    assert parse_application("keras:VGG16:/weights/of: mine.h5") == Application("VGG16", "/weights/of: mine.h5")
    assert parse_application("keras.keras") is None
    with pytest.raises(ValidationError, match=r"no application 'mobilenetv2': give keras: and one of .*MobileNetV2"):
        Experiment(source_model="keras:mobilenetv2")
    with pytest.raises(ValidationError, match="keras:VGG16 brings its own preprocessing: leave source_pixels out"):
        Experiment(source_model="keras:VGG16", source_pixels="0-1")


def test_images_are_made_its_own_size_and_in_colour() -> None:
    experiment = Experiment(source_model="keras:InceptionV3", image_fit="crop")
    assert experiment.sizing == Sizing(size=(299, 299), fit="crop", colour=True)
    assert experiment.vary(image_size=(96, 80)).sizing == Sizing(size=(96, 80), fit="crop", colour=True)


def body_of(name: str, weights: Path | None) -> Any:
    origin = f"keras:{name}:{weights}"
    model, scaling = open_application(Application(name, str(weights) if weights else None), SHAPE)
    return make_body(model, origin, None, SHAPE, scaling)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "top", "suffix"),
    [
        ("MobileNetV2", False, ".weights.h5"),  # pixels of -1 to 1
        ("VGG16", False, ".weights.h5"),  # blue first, means taken off
        ("MobileNet", True, ".h5"),
    ],
)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_it_gets_what_keras_preprocessing_makes_of_pixels(name: str, top: bool, suffix: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    make, weights = getattr(keras.applications, name), tmp_path / f"random{suffix}"
    whole = make(weights=None, input_shape=SHAPE, **({} if top else {"include_top": False, "pooling": "avg"}))
    (whole.save if suffix == ".h5" else whole.save_weights)(weights)
    averaged = [layer for layer in whole.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)][-1]
    features = keras.Model(whole.inputs[0], averaged.output)
    prepared = sys.modules[make.__module__].preprocess_input(IMAGES.astype(np.float32))
    expected = np.asarray(features(prepared, training=False)).reshape(3, -1)
    body = body_of(name, weights)
    ours = np.asarray(body(IMAGES, training=False)).reshape(3, -1)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
    save_model(body, tmp_path / "body.keras")
    stored = np.asarray(load_network(tmp_path / "body.keras")(IMAGES, training=False)).reshape(3, -1)
    np.testing.assert_array_equal(stored, ours)


@pytest.mark.parametrize("module", [densenet, efficientnet, mobilenet_v2])
def test_keras_preprocessing_is_measured(module: Any) -> None:
    """Mean and deviation of each channel, nothing at all, and a range; of a network that stays as it is."""
    scale, offset = own_scaling(keras.Sequential(), module.preprocess_input)
    expected = module.preprocess_input(IMAGES.astype(np.float32))
    np.testing.assert_allclose(IMAGES * np.float32(scale) + np.float32(offset), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("application", "shape", "says"),
    [
        (Application("MobileNetV2", None), (32, 32), "takes images in colour"),
        (Application("VGG16", None), (31, 40, 3), "keras:VGG16 takes no images of 40 × 31 pixels: give a larger"),
        (Application("VGG16", "gone.h5"), (32, 32, 3), "gone.h5 does not exist"),
    ],
)
def test_what_cant_be_is_refused_in_one_sentence(application: Application, shape: tuple[int, ...], says: str) -> None:
    with pytest.raises(UnusableInputError) as refused:
        open_application(application, shape)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = keras.Sequential([keras.Input(SHAPE), keras.layers.Conv2D(3, 3)])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "no.h5").write_bytes(b"no weights")
    for name in ("other.weights.h5", "no.h5"):
        with pytest.raises(UnusableInputError, match="holds no weights of MobileNetV2, with its head or without"):
            body_of("MobileNetV2", tmp_path / name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
def test_without_a_network_a_sentence_says_how_to_give_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path))
    monkeypatch.setattr(mobilenet_v2, "BASE_WEIGHT_PATH", "http://127.0.0.1:9/")  # refused at once
    with pytest.raises(UnusableInputError, match=r"can't be downloaded \(URL .*127\.0\.0\.1") as refused:
        body_of("MobileNetV2", None)
    assert str(refused.value).endswith("give them as a file, keras:MobileNetV2:weights.h5")
    assert "\n" not in str(refused.value)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A server of files in tmp_path / "site"."""
    (tmp_path / "site").mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site")
    handler.log_message = lambda *arguments: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
def test_what_keras_downloads_is_kept_with_other_downloads(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(mobilenet_v2, "BASE_WEIGHT_PATH", site)
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    keras.utils.set_random_seed(5)
    trained = keras.applications.MobileNetV2(weights=None, include_top=False, pooling="avg", input_shape=SHAPE)
    trained.save(tmp_path / "site" / name)
    expected = np.asarray(trained(IMAGES / np.float32(127.5) - 1, training=False))
    for _ in range(2):  # the second time it is there
        ours = body_of("MobileNetV2", None)(IMAGES, training=False)
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6 * expected.max())
        (tmp_path / "site" / name).unlink(missing_ok=True)
    assert (tmp_path / "data/raw/models" / name).is_file()
