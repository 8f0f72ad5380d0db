"""Artifacts on an S3 endpoint: what one machine made another one has, whole or not at all."""

import asyncio
import json
from hashlib import sha256
from pathlib import Path

import pytest
import s3fs

from tasks.storage.artifacts import MANIFEST, Artifact, DamagedArtifactError, save
from tasks.storage.in_use import artifacts_in_use
from tasks.storage.roots import UnusableArtifactsError, artifacts_root
from tests.support.services import ObjectStore, Settle


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
