"""What the tests of faults share: a run that was not disturbed, runs that may die, a server with a password."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import Lives, run_experiment
from tests.support.services import Server, server


@pytest.fixture(scope="session")
def lives(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    """Runs in processes of their own."""
    lives = Lives(tmp_path_factory.mktemp("lives"))
    yield lives
    lives.close()


@pytest.fixture(scope="session")
def baseline(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """An artifacts folder after one undisturbed small run, and that run's metrics: to be copied, not touched."""
    folder = tmp_path_factory.mktemp("baseline") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(folder))
        return folder, run_experiment()[0]


@pytest.fixture
def artifacts_copy(baseline: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The artifacts folder: a copy of that one."""
    folder = tmp_path / "artifacts"
    shutil.copytree(baseline[0], folder, symlinks=True)
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(folder))
    return folder


@pytest.fixture(scope="session")
def locked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prefect server that wants a password, as README starts it."""
    with server(tmp_path_factory.mktemp("locked"), PREFECT_SERVER_API_AUTH_STRING="someone:secret") as here:
        yield here
