"""Every kind of file in the store, in data/raw and in a run's folder, damaged in every way: it is made again."""

import gzip
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tasks.experiment.data.fashion_mnist import FILES, is_valid
from tasks.experiment.data.mirrors import fetch
from tests.faults.checks import (
    DAMAGES,
    SMALL,
    assert_heals,
    assert_latest_is_whole,
    assert_nothing_lost,
    damage,
)
from tests.support.runs import Lives, run_experiment

SHELVES = {
    "normalize": ["pixels.npz", "manifest.json"],
    "split_A": ["examples.npz", "manifest.json"],
    "split_B": ["manifest.json", "examples.npz"],
    "train_A": ["model.keras", "history.json", "manifest.json"],
    "train_B_scratch": ["history.json", "model.keras", "probabilities.npy"],
    "transfer_B_on_A": ["manifest.json", "model.keras", "scores.json"],
    "evaluate": ["scores.json", "manifest.json"],
    "report": ["metrics.json", "plots/pairs.png", "report.md"],
}
# Three runs, each of which finds one file of each shelf damaged.
ROUNDS = [
    {shelf: (files[i % len(files)], DAMAGES[n % 2 :: 2][i]) for n, (shelf, files) in enumerate(SHELVES.items())}
    for i in range(3)
]
READABLE = [how for how in DAMAGES if how != "unreadable"]  # to root nothing is


def damaged_data(raw: Path, content: dict[str, bytes], how: str) -> None:
    """All four files, one of them damaged, and beside it where it can be had."""
    raw.mkdir(parents=True)
    for name, body in content.items():
        (raw / name).write_bytes(body)
    (raw / f"{SMALL}.gz").write_bytes(gzip.compress(content[SMALL]))
    damage(raw / SMALL, how)


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
    assert healed(number)[shelf], f"{file} of {shelf} is not what it was before it was {how}"


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


@pytest.mark.fault("a file in data/raw {how}", "it is fetched again")
@pytest.mark.parametrize("how", READABLE)
def test_damaged_data(how: str, raw: Path, content: dict[str, bytes]) -> None:
    damaged_data(raw, content, how)
    fetch()
    assert [name for name in FILES if not is_valid(raw / name)] == []


@pytest.mark.slow
@pytest.mark.fault("a file in data/raw unreadable", "it is fetched again by a run; metrics as before")
def test_unreadable_data(
    lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], content: dict[str, bytes], tmp_path: Path
) -> None:
    raw = tmp_path / "data" / "raw"
    damaged_data(raw, content, "unreadable")
    assert_heals(lives, artifacts_copy, baseline, HEADSTART_DATA=tmp_path / "data")
    assert [name for name in FILES if not is_valid(raw / name)] == []


@pytest.mark.fault("metrics.json of the latest run {how}", "the next run's folder is whole, and `latest` points at it")
@pytest.mark.slow
@pytest.mark.parametrize("how", READABLE)
def test_damaged_run_folder(how: str, artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    damage(artifacts_copy / "latest" / "metrics.json", how)
    assert run_experiment()[0] == baseline[1]
    assert_latest_is_whole(artifacts_copy)
