from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tasks.experiment.data.ingestion import import_data
from tasks.experiment.networks.resident_images import resident_images
from tests.support import signals


def test_all_threads_share_one_tensor_of_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    first, second = (import_data(signals.write_npz(tmp_path / f"{seed}.npz", images=50, seed=seed)) for seed in (1, 2))
    with ThreadPoolExecutor(8) as threads:
        tensors = list(threads.map(resident_images, [first] * 16))
    assert {id(tensor) for tensor in tensors} == {id(tensors[0])}
    for data in (first, second, first):
        assert np.array_equal(resident_images(data), data.images("train"))
