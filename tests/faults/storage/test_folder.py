"""The artifacts folder itself: moved, read-only, on a full disk, with things in it that are not the program's."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks.experiment.reports.metrics import earlier_nights
from tasks.storage.pruning import prune
from tests.faults.checks import (
    assert_whole,
    fifo,
    kept,
)
from tests.support.runs import QUICK, Lives, run_experiment

KEPT = {
    "a cache record": "cache/evaluate-*",
    "a stored file": "store/evaluate/*/scores.json",
    "a manifest": "store/report/*/manifest.json",
    "a run's metrics.json": "runs/*/metrics.json",
    "a run's run.json": "runs/*/run.json",
}
DISK = (16, 128, 1000, 2500, 5000)  # kB


@pytest.fixture(scope="module")
def read(baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """A run that finds all of them replaced by FIFOs gives the same metrics: which of them it read."""
    artifacts = shutil.copytree(baseline[0], tmp_path_factory.mktemp("fifos") / "artifacts", symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
        places = {what: next(artifacts.glob(pattern)) for what, pattern in KEPT.items()}
        outside = tmp_path_factory.mktemp("outside")
        with ExitStack() as stack:
            found = {}
            for number, (what, place) in enumerate(places.items()):
                found[what] = stack.enter_context(fifo(outside / str(number)))
                place.unlink()
                os.link(outside / str(number), place)
            assert run_experiment()[0] == baseline[1]
            assert_whole(artifacts, baseline)
            assert earlier_nights(QUICK, [42, 43]) == []
            prune(1, dry_run=True)
            return {what: was_read() for what, was_read in found.items()}


@pytest.mark.fault("{what} replaced by a FIFO", "nobody waits for its end; metrics as before")
@pytest.mark.parametrize("what", KEPT)
def test_fifo_among_artifacts(what: str, read: dict[str, bool]) -> None:
    assert not read[what]


@pytest.mark.fault("the artifacts folder moved to another place", "the cache holds: nothing runs again")
def test_moved(
    artifacts_copy: Path, baseline: tuple[Path, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts_copy.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "elsewhere"))
    metrics, states = run_experiment()
    assert metrics == baseline[1]
    assert set(states.values()) == {"Cached"}
    assert not artifacts_copy.exists()


@pytest.mark.fault("`latest` replaced by {what}", "it is left alone, the log says so, and the run is whole")
@pytest.mark.parametrize("what", ["a folder of the user's", "a file of the user's"])
def test_latest_is_not_a_link(
    what: str, artifacts_copy: Path, baseline: tuple[Path, dict], caplog: pytest.LogCaptureFixture
) -> None:
    latest = artifacts_copy / "latest"
    latest.unlink()
    if "folder" in what:
        latest.mkdir()
        (latest / "mine").touch()
    else:
        latest.write_text("mine")
    assert run_experiment()[0] == baseline[1]
    assert f"{latest} is not a link" in caplog.text
    assert (latest / "mine").exists() if "folder" in what else latest.read_text() == "mine"


@pytest.mark.fault("the artifacts folder read-only", "one sentence says so, before any work; nothing is changed")
def test_read_only(lives: Lives, artifacts_copy: Path, tmp_path: Path) -> None:
    before = kept(artifacts_copy)
    for path in [artifacts_copy, *artifacts_copy.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    life = lives.start(tmp_path, {"HEADSTART_ARTIFACTS": artifacts_copy})
    life.end()
    assert life.result["state"] == "Failed"
    assert f"The artifacts folder {artifacts_copy} can't be used" in life.result["message"]
    assert "Permission denied" in life.result["message"]
    assert not life.computed
    assert kept(artifacts_copy) == before


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system in memory, whose size may be changed by mounting it again."""
    disk = tmp_path_factory.mktemp("disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture(scope="module")
def refusals(
    small_disk: Path, lives: Lives, baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory
) -> dict[int, dict]:
    """By size of the disk, what a run came to that found it too small; on one with room then a run goes through."""
    artifacts, folder, results = small_disk / "artifacts", tmp_path_factory.mktemp("small"), {}
    for size in DISK:
        subprocess.run(["mount", "-o", f"remount,size={size}k", str(small_disk)], check=True)
        life = lives.start(folder, {"HEADSTART_ARTIFACTS": artifacts})
        life.end()
        results[size] = life.result
        assert not (artifacts / "latest").exists()
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    life = lives.start(folder, {"HEADSTART_ARTIFACTS": artifacts})
    assert life.end() == 0
    assert life.metrics == baseline[1]
    assert_whole(artifacts, baseline)
    return results


@pytest.mark.slow
@pytest.mark.fault("the disk full at {size} kB", "one sentence says so; with more room a re-run gives the same metrics")
@pytest.mark.parametrize("size", DISK)
def test_disk_full(size: int, refusals: dict[int, dict]) -> None:
    assert refusals[size]["state"] == "Failed"
    assert "No space left on device" in refusals[size]["message"]
