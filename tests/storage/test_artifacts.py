from pathlib import Path

import pytest

from tasks.storage.artifacts import Artifact, DamagedArtifactError, copy_files, save


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    return tmp_path / "artifacts"


def store(text: str = "seven") -> Artifact:
    return save("stage", lambda folder: (folder / "number.txt").write_text(text))


def test_same_content_same_place_and_nothing_left_over(root: Path) -> None:
    assert store() == store()
    assert store() != store("eight")
    assert sorted(p.name[0] for p in (root / "store/stage").iterdir()) != ["."]
    assert len(list((root / "store/stage").iterdir())) == 2


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete", "manifest", "folder", "gone"])
def test_damage_is_seen_and_heals(root: Path, damage: str) -> None:
    artifact = store()
    file = root / artifact.path / "number.txt"
    match damage:
        case "truncate":
            file.write_text("sev")
        case "flip":
            file.write_text("seveN")
        case "delete":
            file.unlink()
        case "manifest":
            (file.parent / "manifest.json").write_text("{}")
        case "folder":
            file.unlink()
            file.mkdir()
        case "gone":
            file.unlink()
            (file.parent / "manifest.json").unlink()
            file.parent.rmdir()
    with pytest.raises(DamagedArtifactError):
        artifact.folder()
    assert store() == artifact
    assert (artifact.folder() / "number.txt").read_text() == "seven"


def test_failed_write_leaves_nothing(root: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        save("stage", fail)
    assert not [f for f in root.rglob("*") if f.is_file()]


def test_moved_root_still_holds(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = store()
    root.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "elsewhere"))
    copy_files(artifact, tmp_path / "copy")
    assert [f.name for f in (tmp_path / "copy").iterdir()] == ["number.txt"]
