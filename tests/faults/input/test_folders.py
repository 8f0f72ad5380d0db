"""Folders with something odd in them: what has no end, what leads elsewhere."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from prefect.logging import disable_run_logger

from tasks.download import download
from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats.reading import fingerprint, read_data
from tasks.experiment.data.ingestion import import_data
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.model_files import load_trained
from tasks.experiment.prediction import predict_files
from tests.faults.checks import fifo
from tests.support.datasets import IMAGES, LABELS, class_folders, idx_folder, npz

_watched: list[set[str]] = []  # the files that were opened, while a test looks


def _note(event: str, args: tuple[object, ...]) -> None:
    if event == "open" and _watched and isinstance(args[0], str | bytes | os.PathLike):
        _watched[-1].add(os.path.realpath(os.fsdecode(args[0])))


sys.addaudithook(_note)


@contextmanager
def opened() -> Iterator[set[str]]:
    _watched.append(set())
    try:
        yield _watched[-1]
    finally:
        _watched.pop()


def read_dataset(path: Path) -> None:
    """As a run does: first a hash of all files, then what is in them."""
    fingerprint(path)
    read_data(path)


def predict(path: Path) -> None:
    (said,) = predict_files(path.with_name("model.keras"), [path])
    if isinstance(said, UnusableInputError):
        raise said


# By what is replaced: a data set or file, how it is written, where in it that is, and who reads it.
PLACES: dict[str, tuple[str, Callable[[Path], object], str, Callable[[Path], object]]] = {
    "the images of an IDX folder": ("idx", idx_folder, "train-images-idx3-ubyte", read_dataset),
    "the labels of an IDX folder": ("idx", idx_folder, "t10k-labels-idx1-ubyte", read_dataset),
    "the names of an IDX folder": ("idx", idx_folder, "classes.txt", read_dataset),
    "an .npz file": ("data.npz", npz, "", read_dataset),
    "the names beside an .npz file": ("data.npz", npz, "../data.classes.txt", read_dataset),
    "an image of a class": ("folder", class_folders, "train/a/more/2.png", read_dataset),
    "a test image": ("folder", class_folders, "test/b/more/3.png", read_dataset),
    "a source_model": ("source.keras", Path.touch, "", load_trained),
    "an image to predict": ("x.png", Path.touch, "", predict),
}


@contextmanager
def replaced(path: Path, kind: str) -> Iterator[None]:
    path.unlink()
    match kind:
        case "a FIFO":
            with fifo(path) as was_read:
                yield
                assert not was_read()
        case "a socket":
            os.mknod(path, stat.S_IFSOCK | 0o600)
            yield
        case "a device":
            path.symlink_to("/dev/null")
            yield
        case "a link to nothing":
            path.symlink_to("nowhere")
            yield
        case "a link to itself":
            path.symlink_to(path.name)
            yield


@pytest.mark.fault("{kind} in the place of {what}", "one sentence names it, and nobody waits for its end")
@pytest.mark.parametrize("kind", ["a FIFO", "a socket", "a device", "a link to nothing", "a link to itself"])
@pytest.mark.parametrize("what", PLACES)
def test_no_file(what: str, kind: str, tmp_path: Path) -> None:
    name, write, inside, read = PLACES[what]
    write(tmp_path / name)
    place = tmp_path / name / inside if not inside.startswith("..") else tmp_path / inside[3:]
    with replaced(place, kind), pytest.raises(UnusableInputError) as refused:
        read(tmp_path / name)
    assert str(place) in str(refused.value)


LEAVING = {
    "an image, to a password file": "folder/train/a/more/2.png",
    "an image, by a relative path": "folder/test/b/more/3.png",
    "an image, by another link": "folder/train/a/more/4.png",
    "a folder below a class": "folder/train/a/more",
    "a class": "folder/test/b",
    "train/": "folder/train",
    "the images of an IDX folder": "idx/train-images-idx3-ubyte",
    "the names of an IDX folder": "idx/classes.txt",
    "the names beside an .npz file": "data.classes.txt",
    "a table in a folder": "table/labels.csv",
    "a Parquet file in a folder": "parquet/train.parquet",
}


@pytest.mark.fault("{what}: a link that leads out of the data folder", "refused in a sentence, and not opened")
@pytest.mark.parametrize("what", LEAVING)
def test_link_that_leads_out(what: str, tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    data.mkdir(), elsewhere.mkdir()
    idx_folder(data / "idx"), npz(data / "data.npz"), class_folders(data / "folder")
    (data / "table").mkdir(), (data / "table/labels.csv").write_text("file,label\nx.png,a\n")
    (data / "parquet").mkdir(), (data / "parquet/train.parquet").write_bytes(b"PAR1")
    place = data / LEAVING[what]
    target = place.rename(elsewhere / place.name)
    if "password" in what:
        target = Path("/etc/passwd")
    if "another link" in what:
        (tmp_path / "link").symlink_to(target)
    links = {"by a relative path": os.path.relpath(target, place.parent), "by another link": tmp_path / "link"}
    place.symlink_to(links.get(what.rpartition(", ")[2], target))
    dataset = data / ("data.npz" if ".npz" in what else place.relative_to(data).parts[0])
    for read in (fingerprint, read_data):
        with opened() as files, pytest.raises(UnusableInputError, match=r"leads to .*, outside of") as refused:
            read(dataset)
        assert str(place) in str(refused.value)
        assert not [file for file in files if file == str(target) or file.startswith(f"{elsewhere}/")]


def test_what_is_opened_would_be_seen(tmp_path: Path) -> None:
    class_folders(tmp_path / "folder")
    with opened() as files:
        read_dataset(tmp_path / "folder")
    assert str(tmp_path / "folder/train/a/more/2.png") in files


@pytest.mark.fault("a folder that is a link to the folder it is in", "refused in a sentence; nobody walks in a circle")
def test_circle(tmp_path: Path) -> None:
    class_folders(tmp_path / "folder")
    (tmp_path / "folder/train/a/again").symlink_to("..")
    with pytest.raises(UnusableInputError, match="a/again is a link to a folder that it is in"):
        read_dataset(tmp_path / "folder")


@pytest.mark.fault("{what}: a link that stays", "followed: the same data as without it")
@pytest.mark.parametrize("what", ["the data folder", "the .npz file", "an image", "a class", "a file's folder"])
def test_link_that_stays(what: str, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "real" / "folder")
    npz(tmp_path / "real" / "data.npz")
    moved = {"an image": "train/a/more/2.png", "a class": "train/a", "a file's folder": "train/a/more"}
    if what in moved:
        place = folder / moved[what]
        (folder / ".kept").mkdir()
        place.symlink_to(place.rename(folder / ".kept" / place.name))
    name = "data.npz" if "npz" in what else "folder"
    before = read_data(tmp_path / "real" / name)
    (tmp_path / name).symlink_to(tmp_path / "real" / name)
    if "npz" in what:
        shutil.copy(tmp_path / "real" / "data.classes.txt", tmp_path)
    read_dataset(tmp_path / name)
    found = read_data(tmp_path / name)
    assert found.classes == before.classes == ("a", "b")
    assert len(found.train) == 12
    assert np.array_equal(np.sort(found.train.images, 0), np.sort(IMAGES, 0))


def test_a_change_behind_a_link_changes_the_hash(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "folder")
    place = folder / "train/a"
    place.symlink_to(place.rename(folder / ".a"))
    before = fingerprint(folder)
    shutil.copy(folder / ".a/more/2.png", folder / ".a/more/4.png")
    assert fingerprint(folder) != before


CHANGES: dict[str, Callable[[Path], object]] = {
    "an image is replaced": lambda folder: Image.new("L", (8, 8)).save(folder / "folder/train/a/more/2.png"),
    "an image comes": lambda folder: Image.new("L", (8, 8)).save(folder / "folder/test/b/more/99.png"),
    "an image goes": lambda folder: (folder / "folder/train/a/more/2.png").unlink(),
    "an .npz file is replaced": lambda folder: np.savez(folder / "data.npz", x_train=IMAGES[::-1], y_train=LABELS),
    "the names beside an .npz file change": lambda folder: (folder / "data.classes.txt").write_text("b\na\n"),
    "an archive is replaced": lambda folder: shutil.copy(folder / "other.zip", folder / "archive.zip"),
}


@pytest.mark.fault("while a data set is read {what}", "refused in a sentence; nothing of it is kept in the cache")
@pytest.mark.parametrize("what", CHANGES)
def test_changed_while_it_was_read(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    class_folders(tmp_path / "folder"), npz(tmp_path / "data.npz"), idx_folder(tmp_path / "other")
    shutil.make_archive(str(tmp_path / "archive"), "zip", tmp_path / "folder")
    shutil.make_archive(str(tmp_path / "other"), "zip", tmp_path / "other")
    dataset = tmp_path / ("data.npz" if "npz" in what else "archive.zip" if "archive" in what else "folder")

    def change_after_reading(path: Path, sizing: Sizing) -> DataSet:
        data = import_data(path, sizing)
        CHANGES[what](tmp_path)
        return data

    before = fingerprint(dataset)
    with disable_run_logger():
        assert download.fn(str(dataset), before).classes == ("a", "b")
        monkeypatch.setattr("tasks.download.import_data", change_after_reading)
        with pytest.raises(UnusableInputError, match="changed while it was read: run again"):
            download.fn(str(dataset), before)
