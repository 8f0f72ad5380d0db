"""Artifacts on an S3 endpoint: what one machine made another one has, whole or not at all."""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import s3fs

from flows.transfer_learning import transfer_learning
from tasks.storage import in_use
from tasks.storage.artifacts import MANIFEST, Artifact, DamagedArtifactError, save
from tasks.storage.in_use import InUseError, artifacts_in_use, artifacts_unused
from tasks.storage.pruning import prune
from tasks.storage.roots import UnusableArtifactsError, artifacts_root, shared_root
from tasks.storage.runs import keep_run, latest_run, read_runs
from tasks.storage.sharing import share
from tests.support.runs import run
from tests.support.services import ObjectStore, object_store

Settle = Callable[[str], None]


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as endpoint:
        yield endpoint


@pytest.fixture
def prefix(store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where artifacts are, in the bucket. This process is on the machine "first"."""
    prefix = uuid.uuid4().hex
    for name, value in (store.environment | {"HEADSTART_ARTIFACTS": f"s3://bucket/{prefix}"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "first"))
    return prefix


@pytest.fixture
def be(prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settle:
    """Be on another machine from now on."""
    return lambda name: monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))


def number(text: str = "seven") -> Artifact:
    def write(folder: Path) -> None:
        (folder / "number.txt").write_text(text)
        (folder / "more").mkdir()
        (folder / "more/letters.txt").write_text("abc")

    return save("stage", write)


def test_what_one_machine_made_another_one_has(be: Settle) -> None:
    artifact = number()
    be("second")
    folder = artifact.folder()
    assert folder == artifacts_root() / artifact.path
    assert "second" in folder.parts
    assert {file.read_text() for file in folder.rglob("*.txt")} == {"seven", "abc"}
    assert artifact.is_intact()


@pytest.mark.fault("an upload cut after {files} of 3 files", "not believed anywhere; made again, it is")
@pytest.mark.parametrize("files", [0, 1, 2])
def test_half_uploaded(
    be: Settle, prefix: str, store: ObjectStore, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    whole = s3fs.S3FileSystem._put_file
    sent: list[str] = []
    one_by_one = asyncio.Lock()

    async def cut(self: s3fs.S3FileSystem, here: str, there: str, **options: object) -> None:
        async with one_by_one:
            if len(sent) == files:
                raise ConnectionResetError("the machine is gone")
            sent.append(there)
            await whole(self, here, there, **options)

    with monkeypatch.context() as patch:
        patch.setattr(s3fs.S3FileSystem, "_put_file", cut)
        with pytest.raises(ConnectionResetError):
            number()
    assert len(store.keys(prefix)) == files
    artifact = Artifact(path=(made := _only(artifacts_root() / "store/stage")), digest=_digest(artifacts_root() / made))
    assert artifact.folder()  # here it is whole
    assert not artifact.is_intact()
    be("second")
    with pytest.raises(DamagedArtifactError, match="is not whole where it is shared"):
        artifact.folder()
    assert number() == artifact
    be("third")
    assert artifact.is_intact()


def _only(folder: Path) -> str:
    (found,) = folder.iterdir()
    return str(found.relative_to(artifacts_root()))


def _digest(folder: Path) -> str:
    return sha256(json.dumps(json.loads((folder / MANIFEST).read_text()), sort_keys=True).encode()).hexdigest()


@pytest.mark.fault("an object in the bucket: {damage}", "not believed; made again, and whole for all")
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "manifest flipped"])
def test_damaged_where_it_is_shared(be: Settle, prefix: str, store: ObjectStore, damage: str) -> None:
    artifact = number()
    key = f"{prefix}/{artifact.path}/{MANIFEST if 'manifest' in damage else 'number.txt'}"
    match damage:
        case "gone":
            store.delete(key)
        case "cut":
            store.write(key, b"sev")
        case _:
            store.write(key, store.read(key)[:-2] + b"xx")
    be("second")
    assert not artifact.is_intact()
    be("first")
    assert not artifact.is_intact()  # whole here, but no one else can have it
    assert number() == artifact
    be("third")
    assert artifact.is_intact()


@pytest.mark.fault("a manifest in the bucket that names {name}", "refused, nothing is written there")
@pytest.mark.parametrize("name", ["../../../evil", "/tmp/headstart-evil", "more/../../evil"])
def test_a_manifest_that_leads_elsewhere(prefix: str, store: ObjectStore, tmp_path: Path, name: str) -> None:
    manifest = {name: {"sha256": sha256(b"evil").hexdigest(), "bytes": 4}}
    digest = sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    artifact = Artifact(path=f"store/stage/{digest[:16]}", digest=digest)
    store.write(f"{prefix}/{artifact.path}/{MANIFEST}", json.dumps(manifest).encode())
    store.write(f"{prefix}/store/evil", b"evil")
    with pytest.raises(DamagedArtifactError):
        artifact.folder()
    assert not [f for f in tmp_path.rglob("*") if f.is_file() and f.read_bytes() == b"evil"]
    assert not Path("/tmp/headstart-evil").exists()


@pytest.mark.fault("a damaged copy on this machine", "had again from where it is shared")
def test_damaged_copy(be: Settle) -> None:
    artifact = number()
    (artifacts_root() / artifact.path / "number.txt").write_text("eight")
    assert (artifact.folder() / "number.txt").read_text() == "seven"


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


def test_pruning_there_and_here(be: Settle, prefix: str, store: ObjectStore) -> None:
    old, new = number("old"), number("new")
    make_run("one", old)
    make_run("two", new)
    before = store.keys(prefix)
    assert {removal.name for removal in prune(1, dry_run=True)} == {
        f"{name}{whose}" for name in ("runs/one", old.path) for whose in ("", " (this machine's copy)")
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


@pytest.mark.fault("an S3 endpoint that is not there, or has no such bucket", "a sentence before anything is trained")
@pytest.mark.parametrize("what", ["port", "bucket"])
def test_no_endpoint(prefix: str, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    if what == "port":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    else:
        monkeypatch.setenv("HEADSTART_ARTIFACTS", "s3://nobucket/x")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(UnusableArtifactsError, match=r"s3://\w+/.* can't be used .*check address"), artifacts_in_use():
        pass


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
