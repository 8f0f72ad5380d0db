"""kill -9 at every stage's boundaries and inside every stage's writing, by the run itself just before a step."""

import gzip
import shutil
from pathlib import Path

import pytest

from tests.faults.checks import SMALL, assert_nothing_lost
from tests.support.runs import Lives

SHELVES = {"split": "split_B"}  # which shelf of the store a stage writes last; others are named like the stage
WRITTEN = {
    "normalize": ["pixels.npz"],
    "split": ["examples.npz"],
    "train_A": ["model.keras"],
    "train_B_scratch": ["history.json"],
    "transfer_B_on_A": ["model.keras"],
    "evaluate": ["scores.json", "probabilities.npz"],
    "report": ["plots/pairs.png", "metrics.json", "report.html"],
}
STEPS = [
    *((stage, "before it starts", f"open w .*/{stage}-[0-9a-f]+.lock") for stage in WRITTEN),
    *((stage, f"writing {file}", f"open w .*/artifact/{file}") for stage, files in WRITTEN.items() for file in files),
    *((stage, "writing the manifest", "open w .*/artifact/manifest.json") for stage in ("normalize", "evaluate")),
    *(
        (stage, "before it is renamed into the store", f"os.rename .* -> .*store/{SHELVES.get(stage, stage)}/")
        for stage in ("split", "train_A", "evaluate", "report")
    ),
    *((stage, "writing the cache record", f"open w .*/cache/{stage}-") for stage in WRITTEN),
    *((stage, "after the cache record", rf"os.remove .*/{stage}-[0-9a-f]+.lock") for stage in ("split", "report")),
]
QUICKLY = {("normalize", "writing the manifest"), ("split", "before it is renamed into the store")}
PUBLISHING = {
    "copying the report": r"open w .*\.new/.*/metrics.json",
    "copying a model": r"open w .*\.new/.*/models/B_on_A.keras",
    "before the folder is renamed": "os.rename .* -> .*/runs/",
    "between folder and link": "os.symlink ",
    "before the link is replaced": "os.rename .* -> .*/latest$",
    "after the link is replaced": r"os.rmdir .*\.new/",
}


@pytest.mark.fault("kill -9 in {stage}, {moment}", "a re-run gives the same metrics; nothing is left over")
@pytest.mark.parametrize(
    ("stage", "moment", "step"),
    [pytest.param(*s, marks=() if s[:2] in QUICKLY else pytest.mark.slow, id=f"{s[0]}-{s[1]}") for s in STEPS],
)
def test_killed_in_a_stage(
    stage: str, moment: str, step: str, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], tmp_path: Path
) -> None:
    for path in (
        *artifacts_copy.glob(f"cache/{stage}-*"),
        *artifacts_copy.glob(f"store/{stage}"),
        *artifacts_copy.glob("store/split_*"),
    ):
        if stage == "split" or "split_" not in path.name:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert lives.start(tmp_path, {"HEADSTART_ARTIFACTS": artifacts_copy}, die_at=step).end() == -9
    assert_nothing_lost(artifacts_copy, baseline)


@pytest.mark.fault(
    "kill -9 while the run folder is published, {moment}", "`latest` is whole, before and after a re-run"
)
@pytest.mark.parametrize(
    "moment", [pytest.param(m, marks=() if m == "between folder and link" else pytest.mark.slow) for m in PUBLISHING]
)
def test_killed_while_publishing(
    moment: str, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], tmp_path: Path
) -> None:
    assert lives.start(tmp_path, {"HEADSTART_ARTIFACTS": artifacts_copy}, die_at=PUBLISHING[moment]).end() == -9
    assert_nothing_lost(artifacts_copy, baseline)


@pytest.mark.fault("kill -9 in download, {moment}", "a re-run gives the same metrics; nothing is left over")
@pytest.mark.slow
@pytest.mark.parametrize("moment", ["writing a file", "before the file is renamed into data/raw"])
def test_killed_in_download(
    moment: str, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], content: dict[str, bytes],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    for name, body in content.items():
        (raw / name).write_bytes(body) if name != SMALL else (raw / f"{name}.gz").write_bytes(gzip.compress(body))
    environment = {"HEADSTART_ARTIFACTS": artifacts_copy, "HEADSTART_DATA": tmp_path / "data"}
    step = r"open w .*data/\.new/" if moment == "writing a file" else f"os.rename .* -> .*raw/{SMALL}"
    assert lives.start(tmp_path, environment, die_at=step).end() == -9
    assert not (raw / SMALL).exists()
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path / "data"))
    assert_nothing_lost(artifacts_copy, baseline)
    left = {str(p.relative_to(tmp_path / "data")) for p in (tmp_path / "data").rglob("*")} - {"raw", f"raw/{SMALL}.gz"}
    assert left == {".new", *(f"raw/{name}" for name in content)}
