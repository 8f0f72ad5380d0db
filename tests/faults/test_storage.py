"""Every kind of file that the program keeps, damaged in every way: what it reads again is made again."""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.experiment.data.fashion_mnist import FILES, is_valid
from tests.faults.checks import SMALL, assert_latest_is_whole, assert_nothing_lost, kept
from tests.support.runs import Lives, run_experiment

SHELVES = {
    "normalize": ["pixels.npz", "manifest.json"],
    "split_A": ["examples.npz", "manifest.json"],
    "split_B": ["manifest.json", "examples.npz"],
    "train_A": ["model.keras", "history.json", "manifest.json"],
    "train_B_scratch": ["history.json", "model.keras"],
    "transfer_B_on_A": ["manifest.json", "model.keras"],
    "evaluate": ["scores.json", "probabilities.npz", "manifest.json"],
    "report": ["metrics.json", "plots/pairs.png", "report.html", "ui.md"],
}
STAGES = ["download", "normalize", "split", "train_A", "train_B_scratch", "transfer_B_on_A", "evaluate", "report"]
DAMAGES = ["truncated", "emptied", "bit-flipped", "deleted", "replaced by a folder", "unreadable"]
QUICKLY = {("normalize", "bit-flipped"), ("report", "deleted")}


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    match how:
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "emptied":
            path.write_bytes(b"")
        case "bit-flipped":
            path.write_bytes(content)
        case "deleted":
            path.unlink()
        case "replaced by a folder":
            path.unlink()
            path.mkdir()
        case "unreadable":
            path.chmod(0)


def assert_heals(how: str, lives: Lives, artifacts: Path, baseline: tuple[Path, dict], tmp_path: Path) -> None:
    """Permissions mean nothing to root: what is unreadable is met by a run without root's capabilities."""
    if how == "unreadable":
        environment = {n: Path(os.environ[n]) for n in ("HEADSTART_ARTIFACTS", "HEADSTART_DATA") if n in os.environ}
        life = lives.start(tmp_path, environment)
        assert life.end() == 0
        assert life.metrics == baseline[1]
    assert_nothing_lost(artifacts, baseline)


@pytest.mark.fault("{file} of {shelf} in the store {how}", "it is made again; metrics as before")
@pytest.mark.parametrize(
    ("shelf", "file", "how"),
    [
        pytest.param(
            shelf, files[i % len(files)], how, marks=() if (shelf, how) in QUICKLY else pytest.mark.slow
        )
        for n, (shelf, files) in enumerate(SHELVES.items())
        for i, how in enumerate(DAMAGES[n % 2 :: 2])
    ],
)  # fmt: skip
def test_damaged_artifact(
    shelf: str, file: str, how: str, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], tmp_path: Path
) -> None:
    path = next(artifacts_copy.glob(f"store/{shelf}/*")) / file
    before = path.read_bytes()
    damage(path, how)
    assert_heals(how, lives, artifacts_copy, baseline, tmp_path)
    assert path.read_bytes() == before


@pytest.mark.fault("the cache record of {stage} {how}", "the stage runs again; metrics as before; then all is Cached")
@pytest.mark.parametrize(
    ("stage", "how"),
    [
        pytest.param(stage, DAMAGES[i % len(DAMAGES)], marks=() if stage == "split" else pytest.mark.slow)
        for i, stage in enumerate(STAGES)
    ],
)
def test_damaged_record(
    stage: str, how: str, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], tmp_path: Path
) -> None:
    damage(next(artifacts_copy.glob(f"cache/{stage}-*")), how)
    assert_heals(how, lives, artifacts_copy, baseline, tmp_path)
    assert set(run_experiment()[1].values()) == {"Cached"}


def rewrite(record: Path, **changes: object) -> None:
    written = json.loads(record.read_text())
    record.write_text(json.dumps(written | {"result": json.dumps(json.loads(written["result"]) | changes)}))


@pytest.mark.fault("{what}", "the record is not believed: the stage runs again; metrics as before")
@pytest.mark.parametrize(
    "what",
    [
        "a cache record edited to name another seed's model",
        pytest.param("another seed's cache record under this seed's name", marks=pytest.mark.slow),
        pytest.param("a cache record of another version of the program", marks=pytest.mark.slow),
        pytest.param("a cache record that is JSON of another shape", marks=pytest.mark.slow),
        pytest.param("a cache record that names a file outside the store", marks=pytest.mark.slow),
        pytest.param("a cache record that asks for another serializer", marks=pytest.mark.slow),
    ],
)
def test_untrue_record(what: str, artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    one, other = artifacts_copy.glob("cache/train_A-*")
    written = json.loads(one.read_text())
    match what.removeprefix("a cache record "):
        case "edited to name another seed's model":
            rewrite(one, result=json.loads(json.loads(other.read_text())["result"])["result"])
        case "another seed's cache record under this seed's name":
            shutil.copy(other, one)
        case "of another version of the program":
            rewrite(one, size=7)
        case "that is JSON of another shape":
            one.write_text('[{"metadata": 7}]')
        case "that names a file outside the store":
            rewrite(one, result={"path": "../../etc", "digest": "0" * 64})
        case "that asks for another serializer":
            one.write_text(json.dumps(written | {"metadata": written["metadata"] | {"serializer": {"type": "json"}}}))
    assert_nothing_lost(artifacts_copy, baseline)
    assert set(run_experiment()[1].values()) == {"Cached"}


@pytest.mark.fault("{what} put in place of a model", "it is noticed and made again; metrics as before")
@pytest.mark.parametrize("what", ["another seed's model.keras", "another seed's whole folder"])
def test_another_seeds_model(what: str, artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    one, other = artifacts_copy.glob("store/train_A/*")
    before = (one / "model.keras").read_bytes()
    for file in other.iterdir() if "folder" in what else [other / "model.keras"]:
        shutil.copy(file, one / file.name)
    assert (one / "model.keras").read_bytes() != before
    assert_nothing_lost(artifacts_copy, baseline)
    assert (one / "model.keras").read_bytes() == before


@pytest.mark.fault("a file and its manifest's entry changed together", "it is noticed and made again")
def test_edited_manifest(artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    folder = next(artifacts_copy.glob("store/evaluate/*"))
    manifest = json.loads((folder / "manifest.json").read_text())
    right = (folder / "scores.json").read_text()
    (folder / "scores.json").write_text("{}")
    sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    manifest["scores.json"] = {"sha256": sha256, "bytes": 2}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert_nothing_lost(artifacts_copy, baseline)
    assert (folder / "scores.json").read_text() == right


@pytest.mark.slow
@pytest.mark.fault("a file in data/raw {how}", "it is fetched again; metrics as before")
@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_data(
    how: str, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], content: dict[str, bytes],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    for name, body in content.items():
        (raw / name).write_bytes(body)
    (raw / f"{SMALL}.gz").write_bytes(gzip.compress(content[SMALL]))
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path / "data"))
    damage(raw / SMALL, how)
    assert_heals(how, lives, artifacts_copy, baseline, tmp_path)
    assert all(is_valid(raw / name) for name in FILES)


@pytest.mark.fault("metrics.json of the latest run {how}", "the next run's folder is whole, and `latest` points at it")
@pytest.mark.slow
@pytest.mark.parametrize("how", DAMAGES[:5])
def test_damaged_run_folder(how: str, artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    damage(artifacts_copy / "latest" / "metrics.json", how)
    assert run_experiment()[0] == baseline[1]
    assert_latest_is_whole(artifacts_copy)


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory, whose size may be changed by mounting it again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.fault("the disk full at {size} kB", "one sentence says so; with more room a re-run gives the same metrics")
@pytest.mark.parametrize("size", [16, 128, 1000, 2500, 5000])
def test_disk_full(
    size: int, small_disk: Path, lives: Lives, baseline: tuple[Path, dict], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    artifacts = small_disk / "artifacts"
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
    subprocess.run(["mount", "-o", f"remount,size={size}k", str(small_disk)], check=True)
    life = lives.start(tmp_path, {"HEADSTART_ARTIFACTS": artifacts})
    life.end()
    assert life.result["state"] == "Failed"
    assert "No space left on device" in life.result["message"]
    assert not (artifacts / "latest").exists()
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    assert run_experiment()[0] == baseline[1]
    assert kept(artifacts) == kept(baseline[0])
    assert_latest_is_whole(artifacts)
