"""Every kind of file that the program keeps, damaged in every way: what it reads again is made again."""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tasks.experiment.data.fashion_mnist import FILES, is_valid
from tasks.experiment.reports.metrics import earlier_nights
from tasks.storage.pruning import prune
from tasks.storage.roots import data_root
from tests.faults.checks import (
    SMALL,
    assert_latest_is_whole,
    assert_nothing_lost,
    assert_whole,
    computed_stages,
    fifo,
    kept,
)
from tests.support.runs import QUICK, Lives, run_experiment

SHELVES = {
    "normalize": ["pixels.npz", "manifest.json"],
    "split_A": ["examples.npz", "manifest.json"],
    "split_B": ["manifest.json", "examples.npz"],
    "train_A": ["model.keras", "history.json", "manifest.json"],
    "train_B_scratch": ["history.json", "model.keras"],
    "transfer_B_on_A": ["manifest.json", "model.keras"],
    "evaluate": ["scores.json", "probabilities.npz", "manifest.json"],
    "report": ["metrics.json", "plots/pairs.png", "report.md"],
}
STAGES = ["download", "normalize", "split", "train_A", "train_B_scratch", "transfer_B_on_A", "evaluate", "report"]
DAMAGES = ["truncated", "emptied", "bit-flipped", "deleted", "replaced by a folder", "unreadable"]
# Three runs, each of which finds one file of each shelf damaged.
ROUNDS = [
    {shelf: (files[i % len(files)], DAMAGES[n % 2 :: 2][i]) for n, (shelf, files) in enumerate(SHELVES.items())}
    for i in range(3)
]
UNTRUE = {
    "train_A": "a cache record edited to name another seed's model",
    "train_B_scratch": "another seed's cache record under this seed's name",
    "evaluate": "a cache record of another version of the program",
    "split": "a cache record that is JSON of another shape",
    "normalize": "a cache record that names a file outside the store",
    "report": "a cache record that asks for another serializer",
}


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


def assert_heals(lives: Lives, artifacts: Path, baseline: tuple[Path, dict], **environment: Path) -> list[str]:
    """By a run without root's capabilities, to which permissions mean nothing: the names of what it computed."""
    life = lives.start(artifacts.parent, {"HEADSTART_ARTIFACTS": artifacts} | environment)
    assert life.end() == 0
    assert life.metrics == baseline[1]
    assert_whole(artifacts, baseline)
    return life.computed


@pytest.fixture(scope="module")
def healed(
    lives: Lives, baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], dict[str, bool]]:
    """For a round, which damaged files were again as before after one run."""

    @cache
    def heal(number: int) -> dict[str, bool]:
        artifacts = shutil.copytree(baseline[0], tmp_path_factory.mktemp("damaged") / "artifacts", symlinks=True)
        paths = {shelf: next(artifacts.glob(f"store/{shelf}/*")) / file for shelf, (file, _) in ROUNDS[number].items()}
        before = {shelf: path.read_bytes() for shelf, path in paths.items()}
        for shelf, (_, how) in ROUNDS[number].items():
            damage(paths[shelf], how)
        assert_heals(lives, artifacts, baseline)
        return {shelf: path.read_bytes() == before[shelf] for shelf, path in paths.items()}

    return heal


@pytest.mark.fault("{file} of {shelf} in the store {how}", "it is made again; metrics as before")
@pytest.mark.parametrize(
    ("number", "shelf", "file", "how"),
    [
        pytest.param(number, shelf, *what, marks=pytest.mark.slow if number else ())
        for number, damages in enumerate(ROUNDS)
        for shelf, what in damages.items()
    ],
)
def test_damaged_artifact(
    number: int, shelf: str, file: str, how: str, healed: Callable[[int], dict[str, bool]]
) -> None:
    assert healed(number)[shelf]


@pytest.fixture(scope="module")
def computed_again(lives: Lives, baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The stages that a run computes which finds one record of each damaged; the next run finds all Cached."""
    artifacts = shutil.copytree(baseline[0], tmp_path_factory.mktemp("records") / "artifacts", symlinks=True)
    for i, stage in enumerate(STAGES):
        damage(next(artifacts.glob(f"cache/{stage}-*")), DAMAGES[i % len(DAMAGES)])
    computed = assert_heals(lives, artifacts, baseline)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
        assert set(run_experiment()[1].values()) == {"Cached"}
    return {name.split()[0] for name in computed}


@pytest.mark.fault("the cache record of {stage} {how}", "the stage runs again; metrics as before; then all is Cached")
@pytest.mark.parametrize(("stage", "how"), [(stage, DAMAGES[i % len(DAMAGES)]) for i, stage in enumerate(STAGES)])
def test_damaged_record(stage: str, how: str, computed_again: set[str]) -> None:
    assert stage in computed_again


def rewrite(record: Path, **changes: object) -> None:
    written = json.loads(record.read_text())
    record.write_text(json.dumps(written | {"result": json.dumps(json.loads(written["result"]) | changes)}))


def make_untrue(record: Path, other: Path, how: str) -> None:
    """`other` is of the same stage, where there is another one."""
    match how.removeprefix("a cache record "):
        case "edited to name another seed's model":
            rewrite(record, result=json.loads(json.loads(other.read_text())["result"])["result"])
        case "another seed's cache record under this seed's name":
            shutil.copy(other, record)
        case "of another version of the program":
            rewrite(record, size=7)
        case "that is JSON of another shape":
            record.write_text('[{"metadata": 7}]')
        case "that names a file outside the store":
            rewrite(record, result={"path": "../../etc", "digest": "0" * 64})
        case "that asks for another serializer":
            written = json.loads(record.read_text())
            written["metadata"]["serializer"] = {"type": "json"}
            record.write_text(json.dumps(written))


@pytest.fixture(scope="module")
def not_believed(baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The stages, one for each task run, that a run computes which finds one record of each untrue."""
    artifacts = shutil.copytree(baseline[0], tmp_path_factory.mktemp("untrue") / "artifacts", symlinks=True)
    for stage, how in UNTRUE.items():
        records = sorted(artifacts.glob(f"cache/{stage}-*"))
        make_untrue(records[0], records[-1], how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
        computed = computed_stages(assert_nothing_lost(artifacts, baseline))
        assert set(run_experiment()[1].values()) == {"Cached"}
    return computed


@pytest.mark.fault("{what}", "the record is not believed: the stage runs again; metrics as before")
@pytest.mark.parametrize(("stage", "what"), UNTRUE.items())
def test_untrue_record(stage: str, what: str, not_believed: list[str]) -> None:
    assert not_believed.count(stage) == 1


@pytest.mark.fault("{what} put in place of a model", "it is noticed and made again; metrics as before")
@pytest.mark.parametrize(
    ("shelf", "what"), [("train_A", "another seed's model.keras"), ("train_B_scratch", "another seed's whole folder")]
)
def test_another_seeds_model(shelf: str, what: str, artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    one, other = artifacts_copy.glob(f"store/{shelf}/*")
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
    tmp_path: Path,
) -> None:  # fmt: skip
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    for name in content.keys() - {SMALL}:
        (raw / name).symlink_to(data_root() / "raw" / name)
    (raw / SMALL).write_bytes(content[SMALL])
    (raw / f"{SMALL}.gz").write_bytes(gzip.compress(content[SMALL]))
    damage(raw / SMALL, how)
    assert_heals(lives, artifacts_copy, baseline, HEADSTART_DATA=tmp_path / "data")
    assert all(is_valid(raw / name) for name in FILES)


@pytest.mark.fault("metrics.json of the latest run {how}", "the next run's folder is whole, and `latest` points at it")
@pytest.mark.slow
@pytest.mark.parametrize("how", DAMAGES[:5])
def test_damaged_run_folder(how: str, artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    damage(artifacts_copy / "latest" / "metrics.json", how)
    assert run_experiment()[0] == baseline[1]
    assert_latest_is_whole(artifacts_copy)


KEPT = {
    "a cache record": "cache/evaluate-*",
    "a stored file": "store/evaluate/*/scores.json",
    "a manifest": "store/report/*/manifest.json",
    "a run's metrics.json": "runs/*/metrics.json",
    "a run's run.json": "runs/*/run.json",
}


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


DISK = (16, 128, 1000, 2500, 5000)  # kB


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
