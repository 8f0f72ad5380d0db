"""What people bring, and a run of the flow on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.transfer_learning import transfer_learning
from tests.support.runs import DIGITS, run
from tests.walkthrough import digits


@pytest.fixture(scope="package")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An artifacts folder for all tests in here."""
    folder = tmp_path_factory.mktemp("artifacts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(folder))
        yield folder


@pytest.fixture(scope="package")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with digits.npz (no test images), digits/ and digits.keras."""
    folder = tmp_path_factory.mktemp("brought")
    digits.write_npz(folder / "digits.npz", test=0)
    digits.write_folder(folder / "digits")
    digits.write_model(folder / "digits.keras", epochs=2)
    return folder


@pytest.fixture(autouse=True)
def _there(brought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(brought)


@pytest.fixture(scope="package")
def first(artifacts: Path, brought: Path) -> Iterator[tuple[Path, dict]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(brought)
        yield run(transfer_learning, experiment=DIGITS)[:2]
