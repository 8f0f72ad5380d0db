"""What the handle of a data set promises."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from tasks.experiment.data import fashion_mnist, mirrors
from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.ingestion import import_data
from tests.walkthrough import digits


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    return import_data(digits.write_npz(tmp_path / "digits.npz"))


def test_it_is_frozen_and_strict_about_names(data: DataSet) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        data.validation_images = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        DataSet.model_validate(data.model_dump() | {"colour": True})


def test_the_last_images_are_for_validation(data: DataSet) -> None:
    labels = data.labels("train")
    training, validation = data.training_and_validation(labels)
    assert len(validation) == data.validation_images
    assert np.array_equal(np.concatenate([training, validation]), labels)
    rows = data.training_and_validation(range(len(labels)))
    assert [list(part) for part in rows] == [list(range(len(training))), list(range(len(training), len(labels)))]


def test_arrays_that_are_damaged_or_gone_are_detected(data: DataSet) -> None:
    assert data.is_intact()
    assert data.arrays
    file = data.arrays.folder() / "test_labels.npy"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"\1")
    assert not data.is_intact()
    file.write_bytes(content)
    assert data.is_intact()
    file.unlink()
    assert not data.is_intact()


def test_raw_files_that_are_damaged_or_gone_are_detected(raw: Path, content: dict[str, bytes]) -> None:
    raw.mkdir(parents=True)
    for name, body in content.items():
        (raw / name).write_bytes(body)
    mirrors.fetch()
    data = fashion_mnist.data_set()
    assert data.is_intact()
    file = raw / "t10k-labels-idx1-ubyte"
    file.write_bytes(bytes(file.stat().st_size))
    assert not data.is_intact()
    file.unlink()
    assert not data.is_intact()
