"""An S3 endpoint, and several machines that share what is there."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.services import ObjectStore, Settle, object_store


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as endpoint:
        yield endpoint


@pytest.fixture
def prefix(store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where artifacts are, in the bucket. This process is on the machine "first"."""
    prefix = uuid.uuid4().hex
    for name, value in (store.environment | {"HEADSTART_ARTIFACTS": f"s3://bucket/{prefix}"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "first"))
    return prefix


@pytest.fixture
def be(prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settle:
    """Be on another machine from now on."""
    return lambda name: monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
