import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.optimizers.optimizer import Optimizer

from tasks.experiment.networks.model_files import save_model, weights_digest


def write_model(path: Path, weights: np.ndarray, version: str) -> Path:
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        content["layers/head/vars/0"] = weights
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("metadata.json", json.dumps({"keras_version": version}))
        parts.writestr("model.weights.h5", file.getvalue())
    return path


def test_the_digest_is_that_of_the_weights_to_the_last_bit_and_of_nothing_else(tmp_path: Path) -> None:
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    one = weights_digest(write_model(tmp_path / "one.keras", weights, "3.14"))
    assert weights_digest(write_model(tmp_path / "same.keras", weights, "3.15")) == one
    nearly = weights.copy()
    nearly[1, 2] = np.nextafter(nearly[1, 2], np.float32(9))
    others = nearly, weights.reshape(3, 2), weights.astype(np.float64)
    assert len({one, *(weights_digest(write_model(tmp_path / "x.keras", w, "3.14")) for w in others)}) == 4


def test_saving_a_compiled_model_again_makes_no_optimizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each one that Keras makes costs 70 KiB for good: of 30,000 networks in one process, 2 GiB."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(), loss="mse")
    made: list[object] = []
    really_begin = Optimizer.__init__
    save_model(model, tmp_path / "once.keras")
    monkeypatch.setattr(
        Optimizer, "__init__", lambda self, *a, **k: (made.append(self), really_begin(self, *a, **k))[1]
    )
    save_model(model, tmp_path / "again.keras")
    assert made == []
    assert (tmp_path / "once.keras").read_bytes() == (tmp_path / "again.keras").read_bytes()
