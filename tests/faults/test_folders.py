"""Folders with something odd in them: what has no end, what leads elsewhere, names that a terminal would obey."""

import io
import json
import logging
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import yaml
from PIL import Image

from flows.predict import main
from tasks.experiment.data.class_names import class_number
from tasks.experiment.data.formats.image_files import read_image
from tasks.experiment.data.formats.reading import fingerprint, read_data
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.model_files import load_trained
from tasks.experiment.prediction import predict_files
from tasks.experiment.reports.html import to_html
from tests.faults.checks import fifo
from tests.support.runs import QUICK, run_experiment

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)
LABELS = np.arange(12) % 2

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


def write_idx(path: Path, array: np.ndarray) -> None:
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + sizes + array.astype(np.uint8).tobytes())


def idx_folder(folder: Path) -> Path:
    folder.mkdir()
    for group in ("train", "t10k"):
        write_idx(folder / f"{group}-images-idx3-ubyte", IMAGES)
        write_idx(folder / f"{group}-labels-idx1-ubyte", LABELS)
    (folder / "classes.txt").write_text("a\nb\n")
    return folder


def npz(path: Path) -> Path:
    np.savez(path, x_train=IMAGES, y_train=LABELS)
    path.with_name(f"{path.stem}.classes.txt").write_text("a\nb\n")
    return path


def class_folders(folder: Path) -> Path:
    for part in ("train", "test"):
        for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
            place = folder / part / "ab"[label] / "more"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{number}.png")
    return folder


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
}


@pytest.mark.fault("{what}: a link that leads out of the data folder", "refused in a sentence, and not opened")
@pytest.mark.parametrize("what", LEAVING)
def test_link_that_leads_out(what: str, tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    data.mkdir(), elsewhere.mkdir()
    idx_folder(data / "idx"), npz(data / "data.npz"), class_folders(data / "folder")
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


ODD_NAMES = {
    "clears the screen": "a\x1b[2Jb",
    "sets the window's title": "a\x1b]0;title\x07b",
    "begins a new line": "a\nb",
    "writes over itself": "a\r\x08b",
    "hides": "a\x9b8mb",
    "turns the writing around": "a\u202eb",
    "ends a paragraph": "a\u2029b",
    "is no UTF-8": "a\udcffb",
}


def _damaged(path: Path) -> None:
    path.write_bytes(b"damaged")


def _with(write: Callable[[Path], object], old: str, new: str) -> Callable[[Path], None]:
    """Write data, then rename something in it; `new` has a * for the odd name."""

    def written(path: Path) -> None:
        data = path.with_name("data")
        write(data)
        renamed = new.replace("*", path.name)
        (data / old).rename(data / renamed)
        if renamed.endswith(".png"):
            _damaged(data / renamed)

    return written


def _ask_for_a_class(path: Path) -> None:
    names = read_data(path.with_name("data")).classes
    class_number("no such class", names)


SENTENCES: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "a data set that is not there": (lambda path: None, read_dataset),
    "a damaged .npz file": (lambda path: _damaged(path.with_name(f"{path.name}.npz")),
                            lambda path: read_dataset(path.with_name(f"{path.name}.npz"))),
    "a damaged image of a class": (_with(class_folders, "train/a/more/2.png", "train/a/more/*.png"),
                                   lambda path: read_dataset(path.with_name("data"))),
    "a class that only test/ has": (_with(class_folders, "test/a", "test/*"),
                                    lambda path: read_dataset(path.with_name("data"))),
    "a class beside the one that was asked for": (
        lambda path: [_with(class_folders, "train/a", "train/*")(path), shutil.rmtree(path.with_name("data") / "test")],
        _ask_for_a_class,
    ),
    "a source_model that is not there": (lambda path: None, load_trained),
    "a damaged image to predict": (_damaged, read_image),
}  # fmt: skip


@pytest.mark.fault("a name that {does}: {what}", "the sentence is one line, and escapes it")
@pytest.mark.parametrize("does", ODD_NAMES)
@pytest.mark.parametrize("what", SENTENCES)
def test_name_in_a_sentence(what: str, does: str, tmp_path: Path) -> None:
    write, read = SENTENCES[what]
    path = tmp_path / ODD_NAMES[does]
    write(path)
    with pytest.raises(UnusableInputError) as refused:
        read(path)
    sentence = str(refused.value)
    assert sentence.isprintable()
    assert ODD_NAMES[does].encode("unicode_escape").decode() in sentence


# As folders of classes: markup of every kind, commands to a terminal, placeholders. Beside each, how it is shown.
CLASSES = {
    r"$\frac{1}$": r"$\frac{1}$",
    "[click](javascript:alert(1))": "[click](javascript:alert(1))",
    "![seen](https:evil.example)": "![seen](https:evil.example)",
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "**bold** _slanted_ `code` ~~gone~~": "**bold** _slanted_ `code` ~~gone~~",
    "&lt;b&gt;": "&lt;b&gt;",
    "a|b\\": "a|b\\",
    "{{ 7 * 7 }} %s {0} {name}": "{{ 7 * 7 }} %s {0} {name}",
    "\x1b[2Jcleared": r"\x1b[2Jcleared",
    "two\nlines": r"two\nlines",
    "\udcff\u202e": r"\udcff\u202e",
}
TARGET = [r"$\frac{1}$", "[click](javascript:alert(1))"]


class Page(HTMLParser):
    """What a page shows, and what it refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.references: list[str] = []
        self.feed(page)
        self.shown = "".join(self.texts)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.references += [str(value) for name, value in attributes if name in ("src", "href") or name[:2] == "on"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def named(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder of a run on classes with these names, and its log."""
    folder = tmp_path_factory.mktemp("named")
    rng = np.random.default_rng(0)
    for number, name in enumerate(CLASSES):
        for image in rng.integers(20 * number, 20 * number + 56, (12, 8, 8), np.uint8):
            (folder / "data\x1b[2J" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / "data\x1b[2J" / name / f"{rng.integers(1 << 60)}.png")
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger("prefect").addHandler(handler)
    experiment = QUICK.vary(dataset=str(folder / "data\x1b[2J"), target_classes=TARGET, target_samples=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(folder / "artifacts"))
        try:
            run_experiment(experiment=experiment)
        finally:
            logging.getLogger("prefect").removeHandler(handler)
        yield folder / "artifacts" / "latest", log.getvalue()


@pytest.mark.fault("classes named like markup, commands and placeholders: {where}", "names are text")
@pytest.mark.parametrize("where", ["plots", "report.md", "report.html", "a model's card", "metrics.json", "the log"])
def test_class_names(where: str, named: tuple[Path, str]) -> None:
    run, log = named
    files = {str(file.relative_to(run)) for file in run.rglob("*") if file.is_file()} - {"report.html", "run.json"}
    match where:
        case "plots":
            assert {"confusion.png", "data.png", "disagreements.png"} <= {plot.name for plot in run.glob("plots/*")}
        case "report.md":
            page = Page(to_html((run / "report.md").read_text()))
            assert {unquote(reference) for reference in page.references} == files
            assert all(shown in page.texts for shown in CLASSES.values())
        case "report.html":
            page = Page((run / "report.html").read_text())
            assert {
                unquote(reference) for reference in page.references if reference[:5] not in ("data:", "#sect")
            } == files
            assert all(shown in page.texts for shown in CLASSES.values())
            assert page.shown.count(f"Does transfer help to tell {TARGET[0]} from {TARGET[1]}?") == 2  # title, heading
        case "a model's card":
            for name in ("A", "B_on_A"):
                card = (run / "models" / f"{name}.md").read_text()
                assert set(yaml.safe_load(card.split("---\n")[1])["classes"]) <= set(CLASSES.values())
                page = Page(to_html(card.split("---\n")[2]))
                assert not page.references
            assert f"Tells {TARGET[0]} from {TARGET[1]}." in page.shown
        case "metrics.json":
            data = json.loads((run / "metrics.json").read_text())["data"]
            assert {row["class"] for row in data["classes"]} == set(CLASSES.values())
            assert data["target_classes"] == TARGET
        case "the log":
            assert "Few training images" in log
            assert all(line.isprintable() for line in log.split("\n"))


@pytest.mark.fault("files to predict whose names {does}, and such classes", "names are text, in the terminal")
@pytest.mark.parametrize("does", ODD_NAMES)
def test_predict(
    does: str, named: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = tmp_path / f"{ODD_NAMES[does]}.png"
    Image.fromarray(IMAGES[0]).save(file)
    shutil.copy(named[0] / "models" / "A.keras", tmp_path)
    shutil.copy(named[0] / "models" / "A.md", tmp_path)
    monkeypatch.setattr(sys, "argv", ["predict", str(tmp_path / "A.keras"), str(file)])
    with pytest.raises(SystemExit, match="0"):
        main()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.isprintable()
    assert ODD_NAMES[does].encode("unicode_escape").decode() in line
    assert any(shown in line for shown in CLASSES.values())
