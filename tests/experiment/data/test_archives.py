"""Archives of any layout give the same data as what is in them."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasks.experiment.data.formats.reading import fingerprint, read_data
from tasks.experiment.data.ingestion import import_data
from tasks.experiment.errors import UnusableInputError
from tests.support.datasets import IMAGES, LABELS, class_folders, idx_folder, images, npz


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def kaggle(folder: Path) -> Path:
    images(folder / "train", 12)
    images(folder / "test", 2)
    rows = "".join(f"png{i},{'ab'[i % 2]}\n" for i in range(12))
    (folder / "labels.csv").write_text(f"id,breed\n{rows}")
    (folder / "sample_submission.csv").write_text("id,a,b\nx,0.5,0.5\n")
    return folder


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "class folders": class_folders, "IDX": idx_folder, "Kaggle": kaggle, "an .npz": lambda folder: npz(folder / "d.npz")
}  # fmt: skip
PACK: dict[str, Callable[[Path, Path], object]] = {
    ".zip": lambda archive, folder: shutil.make_archive(str(archive)[:-4], "zip", folder),
    ".tar": lambda archive, folder: shutil.make_archive(str(archive)[:-4], "tar", folder),
    ".tar.gz": lambda archive, folder: shutil.make_archive(str(archive)[:-7], "gztar", folder),
    ".tgz": lambda archive, folder: Path(shutil.make_archive(str(archive), "gztar", folder)).rename(archive),
}


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("in_a_folder", [False, True])
def test_an_archive_gives_what_its_folder_does(tmp_path: Path, layout: str, suffix: str, in_a_folder: bool) -> None:
    folder = tmp_path / "packed" / ("pets" if in_a_folder else "")
    folder.mkdir(parents=True)
    given = LAYOUTS[layout](folder)
    (tmp_path / "packed" / "__MACOSX").mkdir()
    (tmp_path / "packed" / "__MACOSX" / "._x.png").write_bytes(b"\0")
    (folder / ".DS_Store").write_bytes(b"\0")
    PACK[suffix](tmp_path / f"pets{suffix}", tmp_path / "packed")
    assert (tmp_path / f"pets{suffix}").is_file()
    expected = import_data(given)
    assert import_data(tmp_path / f"pets{suffix}") == expected


def test_nothing_of_an_archive_is_left_and_sentences_and_notes_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    class_folders(tmp_path / "packed")
    PACK[".zip"](tmp_path / "a.zip", tmp_path / "packed")
    data = read_data(tmp_path / "a.zip")
    assert len(data.train) == len(IMAGES)
    assert not [note for note in data.notes if "temporary" in note]
    (tmp_path / "packed/train/a/more/0.png").write_bytes(b"no image")
    PACK[".zip"](tmp_path / "a.zip", tmp_path / "packed")
    with pytest.raises(UnusableInputError) as refused:
        read_data(tmp_path / "a.zip")
    assert str(refused.value).startswith(f"{tmp_path}/a.zip/train/a/more/0.png is not a whole image")
    assert not list((tmp_path / "temporary").iterdir())


def test_the_fingerprint_is_of_the_archives_content(tmp_path: Path) -> None:
    class_folders(tmp_path / "packed")
    PACK[".zip"](tmp_path / "a.zip", tmp_path / "packed")
    before = fingerprint(tmp_path / "a.zip")
    (tmp_path / "a.classes.txt").write_text("x\ny\n")
    assert fingerprint(tmp_path / "a.zip") == before
    images(tmp_path / "packed/train/a", 1)
    PACK[".zip"](tmp_path / "a.zip", tmp_path / "packed")
    assert fingerprint(tmp_path / "a.zip") != before


class Silent(zipfile.ZipInfo):
    """Of a program that writes names in UTF-8 without saying so."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(), self.flag_bits


def test_names_in_a_zip_that_does_not_say_how_they_are_encoded(tmp_path: Path) -> None:
    class_folders(tmp_path / "packed")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted((tmp_path / "packed").rglob("*.png")):
            name = str(file.relative_to(tmp_path / "packed")).replace("/a/", "/猫/").replace("/b/", "/Hündin/")
            archive.writestr(Silent(name), file.read_bytes())
    assert read_data(tmp_path / "a.zip").classes == ("Hündin", "猫")


def test_an_archive_of_one_table_and_its_pictures(tmp_path: Path) -> None:
    images(tmp_path / "packed/pictures", 12)
    rows = "".join(f"pictures/png{i}.png,{'ab'[i % 2]}\n" for i in range(12))
    (tmp_path / "packed/all.csv").write_text(f"file_name,label\n{rows}")
    PACK[".tar.gz"](tmp_path / "a.tar.gz", tmp_path / "packed")
    data = read_data(tmp_path / "a.tar.gz")
    assert data.classes == ("a", "b")
    assert np.bincount(data.train.labels).tolist() == np.bincount(LABELS).tolist()


def test_an_archive_is_no_layout_by_itself(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w"):
        pass
    with pytest.raises(UnusableInputError, match=r"dataset .*a\.tar holds no class folders: give"):
        read_data(tmp_path / "a.tar")
