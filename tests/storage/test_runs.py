"""House-keeping on files laid out as the flows lay them out."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.storage.artifacts import Artifact, save
from tasks.storage.in_use import InUseError, artifacts_in_use
from tasks.storage.pruning import prune
from tasks.storage.roots import ROOT
from tasks.storage.runs import NoRunError, find_run, read_runs
from tests.support.processes import Process, until


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    return tmp_path


def store(text: str) -> Artifact:
    return save("train_A", lambda folder: (folder / "weights").write_text(text))


def record(root: Path, key: str, result: object) -> Path:
    file = root / "cache" / key
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"metadata": {}, "result": json.dumps({"key": key, "result": result})}))
    return file


def says(artifact: Artifact) -> dict:
    return artifact.model_dump()


def make_run(root: Path, name: str, day: int, *artifacts: Artifact) -> Path:
    folder = root / "runs" / name
    folder.mkdir(parents=True)
    (folder / "report.md").write_text(name)
    paths = [artifact.path for artifact in artifacts]
    (folder / "run.json").write_text(json.dumps({"time": f"2026-01-0{day}", "artifacts": paths}))
    (root / "latest").unlink(missing_ok=True)
    (root / "latest").symlink_to(Path("runs") / name)
    return folder


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_the_newest_runs_stay_with_what_they_need_and_nothing_else(root: Path) -> None:
    shared, old, new, orphan = (store(text) for text in ("shared", "old", "new", "orphan"))
    gone = make_run(root, "z-old", 1, shared, old)
    stays = make_run(root, "a-new", 2, shared, new)
    keys = {name: record(root, f"train_A-{name}", says(a)) for name, a in [("shared", shared), ("new", new)]}
    keys |= {name: record(root, f"train_A-{name}", says(a)) for name, a in [("old", old), ("orphan", orphan)]}
    keys["data"] = record(root, "download-1", {"data": {"files": {"train": "aa"}}})
    keys["split"] = record(root, "split-1", {"data": {"source": says(shared), "target": says(old)}})
    keys["failed"] = root / "cache" / "0123"
    keys["failed"].write_text(json.dumps({"result": json.dumps({"__exc_type__": "builtins.OSError"})}))
    removed = {str(removal.path.relative_to(root)) for removal in prune(1)}
    assert removed == {
        "runs/z-old", old.path, orphan.path,
        *(str(keys[name].relative_to(root)) for name in ("old", "orphan", "split", "failed")),
    }  # fmt: skip
    assert not gone.exists()
    assert stays.exists()
    assert shared.is_intact()
    assert new.is_intact()
    assert {f.name for f in (root / "cache").iterdir()} == {keys[n].name for n in ("shared", "new", "data")}
    assert prune(1) == []


def test_latest_stays_though_newer_runs_are_kept(root: Path) -> None:
    mine = store("latest")
    latest = make_run(root, "first", 1, mine)
    make_run(root, "second", 2)
    make_run(root, "third", 3)
    (root / "latest").unlink()
    (root / "latest").symlink_to("runs/first")
    assert [removal.path.name for removal in prune(1)] == ["second"]
    assert latest.exists()
    assert mine.is_intact()
    assert [run.folder.name for run in read_runs()] == ["first", "third"]


def test_a_run_is_found_by_name_by_folder_and_counted_from_the_latest(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (make_run(root, name, day) for day, name in enumerate(("z", "y", "x"), 1))
    monkeypatch.chdir(root / "runs")
    (root / "runs" / "index.html").touch()
    for named, folder in {
        "latest": third,
        "latest~0": third,
        "latest~2": first,
        "y": second,
        str(first): first,
    }.items():
        assert find_run(named).resolve() == folder
    (root / "latest").unlink()
    (root / "latest").symlink_to("runs/y")
    assert find_run("latest~1") == first
    for named in ("latest~2", "latest~", "index.html", "", "no"):
        with pytest.raises(NoRunError, match=r"^there is no run "):
            find_run(named)


def test_of_records_that_say_the_same_the_newest_stays(root: Path) -> None:
    artifact = store("weights")
    make_run(root, "run", 1, artifact)
    old, new = record(root, "train_A-old-code", says(artifact)), record(root, "train_A-new-code", says(artifact))
    os.utime(old, (1, 1))
    assert [removal.path for removal in prune(1)] == [old]
    assert new.exists()


def test_dry_run_tells_sizes_and_removes_nothing(root: Path) -> None:
    make_run(root, "old", 1, store("x" * 1000))
    make_run(root, "new", 2)
    before = everything(root) | {".in-use"}
    sizes = {removal.path.parent.name: removal.bytes for removal in prune(1, dry_run=True)}
    assert 1000 < sizes["train_A"] < 1500
    assert everything(root) == before
    assert sizes == {removal.path.parent.name: removal.bytes for removal in prune(1)}


def test_nothing_goes_while_a_run_is_in_progress(root: Path) -> None:
    make_run(root, "old", 1, store("old"))
    make_run(root, "new", 2)
    hold = "from tasks.storage.in_use import artifacts_in_use as a\nwith a(): print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as running:
        assert running.stdout
        running.stdout.readline()
        before = everything(root)
        with artifacts_in_use():  # runs don't keep each other out
            pass
        with pytest.raises(InUseError, match="nothing was removed"):
            prune(1)
        assert everything(root) == before
        running.kill()  # however it ends, its lock ends with it
    assert {removal.path.name for removal in prune(1)} >= {"old"}


def test_a_run_waits_until_pruning_is_done(root: Path, tmp_path: Path) -> None:
    enter = "from tasks.storage.in_use import artifacts_in_use as a\nwith a(): print('in')"
    with (root / ".in-use").open("w") as pruning:  # closed, and with it unlocked, when the test fails
        fcntl.flock(pruning, fcntl.LOCK_EX)
        run = Process([sys.executable, "-c", enter], tmp_path / "run.log")
        until(lambda: waits_for_a_lock(run.pid), "the run waits for the lock", run)
    assert run.wait() == 0
    assert run.said() == "in\n"


def waits_for_a_lock(pid: int) -> bool:
    return any(f"-> FLOCK  ADVISORY  READ {pid} " in lock for lock in Path("/proc/locks").read_text().splitlines())


def test_command_line(root: Path) -> None:
    make_run(root, "old", 1)
    make_run(root, "new", 2)

    def command(*flags: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flows.prune", *flags],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    refused = command("--keep", "0")
    assert refused.returncode == 2
    assert "keep at least one run, not 0" in refused.stderr
    for number in range(3):
        record(root, f"train_A-{number}", {"path": "store/train_A/gone", "digest": "", "number": number})
        os.utime(root / "cache" / f"train_A-{number}", (86_400 * number, 86_400 * number))
    said = command("--keep", "1", "--dry-run").stdout.splitlines()
    assert [line.split(" MB  ")[1] for line in said] == [
        "cache records: 3, of 1970-01-02 to 1970-01-03", "runs: 1, of 2026-01-01", "would go in all"
    ]  # fmt: skip
    assert (root / "runs/old").exists()
    with artifacts_in_use():
        busy = command("--keep", "1")
    assert busy.returncode == 1
    assert "a run is using the artifacts" in busy.stderr
    free = command("--keep", "1")
    assert free.returncode == 0
    assert not (root / "runs/old").exists()
