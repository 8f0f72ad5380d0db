"""kill -9 at every stage's boundaries and inside every stage's writing, by the run itself just before a step."""

import gzip
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tasks.storage.roots import data_root
from tests.faults.checks import SMALL, assert_latest_is_whole, assert_nothing_lost
from tests.support.runs import Lives

SHELVES = {"split": "split_B"}  # which shelf of the store a stage writes last; others are named like the stage
WRITTEN = {
    "normalize": ["pixels.npz", "manifest.json"],
    "split": ["examples.npz"],
    "train_A": ["model.keras"],
    "train_B_scratch": ["history.json", "scores.json", "probabilities.npy"],
    "transfer_B_on_A": ["model.keras"],
    "evaluate": ["scores.json", "manifest.json"],
    "report": ["plots/pairs.png", "metrics.json", "report.md"],
}
STEPS = {  # KEY: of the cache record that is missing
    stage: {
        "before it starts": "open w .*/KEY.lock",
        **{f"writing {file}": f"open w .*/artifact/{file}" for file in files},
        "before it is renamed into the store": f"os.rename .* -> .*store/{SHELVES.get(stage, stage)}/",
        "writing the cache record": "open w .*/cache/KEY",
        "after the cache record": "os.remove .*/KEY.lock",
    }
    for stage, files in WRITTEN.items()
}
PUBLISHING = {
    "copying the report": r"open w .*\.new/.*/metrics.json",
    "copying a model": r"open w .*\.new/.*/models/B_on_A.keras",
    "before the folder is renamed": "os.rename .* -> .*/runs/",
    "between folder and link": "os.symlink ",
    "before the link is replaced": "os.rename .* -> .*/latest$",
    "after the link is replaced": r"os.rmdir .*\.new/",
}
NOT_KILLED = "the run was not killed: it never came to that step, or ended by itself before"
Fates = dict[str, int]  # by moment, how the run that was to die there ended


@pytest.fixture(scope="module")
def killed_in(
    lives: Lives, baseline: tuple[Path, dict], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Fates]:
    """Run after run, each killed in the same stage one step later; then one that is not killed, and misses nothing.

    Of a stage that trains, what it made of one seed is missing: the other seed's is in the cache.
    """

    @cache
    def die(stage: str) -> Fates:
        folder = tmp_path_factory.mktemp("killed")
        artifacts = shutil.copytree(baseline[0], folder / "artifacts", symlinks=True)
        key = ""
        for record in sorted(artifacts.glob(f"cache/{stage}-*"))[:1]:
            key = record.name
            for path in re.findall(rf"store/{stage}\w*/[0-9a-f]+", record.read_text()):
                shutil.rmtree(artifacts / path)
            record.unlink()
        fates = {}
        for moment, step in STEPS.get(stage, PUBLISHING).items():
            die_at = step.replace("KEY", key)
            fates[moment] = lives.start(folder, {"HEADSTART_ARTIFACTS": artifacts}, die_at=die_at).end()
            assert_latest_is_whole(artifacts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
            assert_nothing_lost(artifacts, baseline)
        return fates

    return die


@pytest.mark.fault("kill -9 in {stage}, {moment}", "re-runs give the same metrics; nothing is left over")
@pytest.mark.parametrize(
    ("stage", "moment"),
    [
        pytest.param(stage, moment, marks=() if stage == "split" else pytest.mark.slow)
        for stage, steps in STEPS.items()
        for moment in steps
    ],
)
def test_killed_in_a_stage(stage: str, moment: str, killed_in: Callable[[str], Fates]) -> None:
    assert killed_in(stage)[moment] == -9, NOT_KILLED


@pytest.mark.fault(
    "kill -9 while the run folder is published, {moment}", "`latest` is whole, before and after a re-run"
)
@pytest.mark.parametrize("moment", PUBLISHING)
def test_killed_while_publishing(moment: str, killed_in: Callable[[str], Fates]) -> None:
    assert killed_in("publishing")[moment] == -9, NOT_KILLED


@pytest.mark.slow
@pytest.mark.fault("kill -9 in download, {moment}", "a re-run gives the same metrics; nothing is left over")
@pytest.mark.parametrize("moment", ["writing a file", "before the file is renamed into data/raw"])
def test_killed_in_download(
    moment: str, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], content: dict[str, bytes],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    for name in content.keys() - {SMALL}:
        (raw / name).symlink_to(data_root() / "raw" / name)
    (raw / f"{SMALL}.gz").write_bytes(gzip.compress(content[SMALL]))
    environment = {"HEADSTART_ARTIFACTS": artifacts_copy, "HEADSTART_DATA": tmp_path / "data"}
    step = r"open w .*data/\.new/" if moment == "writing a file" else f"os.rename .* -> .*raw/{SMALL}"
    assert lives.start(tmp_path, environment, die_at=step).end() == -9, NOT_KILLED
    assert not (raw / SMALL).exists()
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path / "data"))
    assert_nothing_lost(artifacts_copy, baseline)
    left = {str(p.relative_to(tmp_path / "data")) for p in (tmp_path / "data").rglob("*")} - {"raw", f"raw/{SMALL}.gz"}
    assert left == {".new", *(f"raw/{name}" for name in content)}
