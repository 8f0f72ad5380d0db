"""Runs on an S3 endpoint: there for all machines, cached for all, pruned there and here."""

import json
from pathlib import Path

import pytest
import s3fs

from flows.transfer_learning import transfer_learning
from tasks.storage import in_use
from tasks.storage.artifacts import MANIFEST, Artifact, save
from tasks.storage.in_use import InUseError, artifacts_in_use, artifacts_unused
from tasks.storage.pruning import prune
from tasks.storage.roots import artifacts_root, shared_root
from tasks.storage.runs import keep_run, latest_run, read_runs
from tasks.storage.sharing import share
from tests.support.runs import run
from tests.support.services import ObjectStore, Settle


def test_a_run_is_there_for_all_and_latest_points_at_it(be: Settle, prefix: str, store: ObjectStore) -> None:
    for name in ("one", "two"):
        make_run(name)
    be("second")
    assert [run.folder.name for run in read_runs()] == ["one", "two"]
    assert latest_run() == "two"
    assert store.read(f"{prefix}/latest") == b"runs/two\n"
    assert (shared_root() / "runs/one/report.md").read_text() == "one"


def make_run(name: str, *artifacts: Artifact) -> None:
    new = artifacts_root() / "new"
    new.mkdir(parents=True)
    (new / "report.md").write_text(name)
    record = {"time": f"2026-01-01T00:00:0{len(read_runs())}", "artifacts": [a.path for a in artifacts]}
    (new / "run.json").write_text(json.dumps(record))
    assert keep_run(name, new)


def note(text: str) -> Artifact:
    def write(folder: Path) -> None:
        (folder / "note.txt").write_text(text)

    return save("stage", write)


def test_pruning_there_and_here(be: Settle, prefix: str, store: ObjectStore) -> None:
    old, new = (
        save("stage", lambda folder, name=name: (folder / "name.txt").write_text(name)) for name in ("old", "new")
    )
    make_run("one", old)
    make_run("two", new)
    before = store.keys(prefix)
    assert {(removal.path.name, removal.kind) for removal in prune(1, dry_run=True)} == {
        (name, f"{kind}{whose}")
        for name, kind in (("one", "runs"), (Path(old.path).name, "artifacts of stage"))
        for whose in ("", " (this machine's copy)")
    }
    assert store.keys(prefix) == before
    prune(1)
    assert not [key for key in store.keys(prefix) if old.path in key or "/one/" in key]
    assert not (artifacts_root() / old.path).exists()
    be("second")
    assert new.is_intact()
    assert [run.folder.name for run in read_runs()] == ["two"]


def test_no_pruning_while_another_machine_runs(be: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    with artifacts_in_use():
        be("second")
        with pytest.raises(InUseError), artifacts_unused():
            pass
        with artifacts_in_use():  # but two may run
            pass
        monkeypatch.setitem(in_use.LONGEST, "run", -1)  # whose machine went away long ago no longer counts
        with artifacts_unused():
            pass
    monkeypatch.undo()


def test_a_run_waits_for_another_machines_pruning(
    be: Settle, prefix: str, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_it(_: float) -> None:
        store.delete(f"{prefix}/.in-use/pruning-1")

    store.write(f"{prefix}/.in-use/pruning-1", b"")
    monkeypatch.setattr(in_use.time, "sleep", end_it)
    with artifacts_in_use():
        assert [key for key in store.keys(prefix) if "pruning" in key] == []
    assert store.keys(prefix) == []


@pytest.fixture(scope="module")
def night(prefect_server: None, store: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict]:
    """Where in the bucket a whole run is, to be copied, and its metrics."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (store.environment | {"HEADSTART_ARTIFACTS": "s3://bucket/night"}).items():
            patch.setenv(name, value)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("night")))
        return "night", run(transfer_learning, refresh=True)[1]


def computed(states: list[tuple[str, str]]) -> set[str]:
    return {name for name, state in states if state != "Cached"}


@pytest.mark.slow
def test_a_run_is_cached_on_another_machine(
    be: Settle, prefix: str, store: ObjectStore, night: tuple[str, dict]
) -> None:
    """And a third one computes the same, which its verdict tells; there, pruning leaves what it needs."""
    store.copy(night[0], prefix)
    be("second")
    _, second, states = run(transfer_learning)
    assert computed(states) <= {"report"}  # which the first one wrote with its verdict
    assert second["replicates"] == night[1]["replicates"]
    be("third")
    folder, third, states = run(transfer_learning, refresh=True)
    assert {state for _, state in states} == {"Completed"}
    assert third["verdict"]["name"] == "Reproduced"
    prune(1)
    assert latest_run() == folder.name
    be("fourth")
    assert computed(run(transfer_learning)[2]) <= {"report"}


@pytest.mark.slow
@pytest.mark.fault(
    "two uploads whose machine is gone, without manifest and without record", "not believed; computed again"
)
def test_what_was_not_shared_whole_is_computed_again(
    be: Settle, store: ObjectStore, prefix: str, night: tuple[str, dict]
) -> None:
    store.copy(night[0], prefix)
    manifests = [key for key in store.keys(f"{prefix}/store/train_A/") if key.endswith(MANIFEST)]
    records = {key: store.read(key) for key in store.keys(f"{prefix}/cache/train_A")}
    # Of one seed the manifest, of the other one the record.
    (record,) = [key for key, content in records.items() if manifests[0].split("/")[-2] not in content.decode()]
    lost = [manifests[0], record]
    for key in lost:
        store.delete(key)
    be("second")
    _, second, states = run(transfer_learning)
    assert computed(states) - {"report"} == {"train_A seed 42", "train_A seed 43"}
    assert second["replicates"] == night[1]["replicates"]
    assert {*lost} <= {*store.keys(prefix)}


def test_sharing_again_takes_the_last_file_away_first(
    be: Settle, prefix: str, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that an upload over an earlier one is never half of each."""
    make_run("one")
    (artifacts_root() / "runs/one/report.md").write_text("changed")

    async def gone(*_: object, **__: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(s3fs.S3FileSystem, "_put_file", gone)
    with pytest.raises(ConnectionResetError):
        share("runs/one", last="run.json")
    assert not [key for key in store.keys(prefix) if key.endswith("run.json")]
