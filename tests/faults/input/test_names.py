"""Names that a terminal would obey, or a page take for markup: of files, folders and classes."""

import io
import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import yaml
from PIL import Image

from flows.predict import main
from tasks.experiment.data.class_names import class_number
from tasks.experiment.data.formats.images.image_files import read_image
from tasks.experiment.data.formats.reading import fingerprint, read_data
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.model_files import load_trained
from tasks.experiment.reports.html import to_html
from tests.support.datasets import IMAGES, class_folders
from tests.support.runs import QUICK, run_experiment


def read_dataset(path: Path) -> None:
    """As a run does: first a hash of all files, then what is in them."""
    fingerprint(path)
    read_data(path)


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
    "猫 고양이 बिल्ली": "猫 고양이 बिल्ली",
    "🐈‍⬛": r"🐈\u200d⬛",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk",
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
        for image in rng.integers(14 * number, 14 * number + 56, (12, 8, 8), np.uint8):
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
            assert set(CLASSES.values()) <= set(page.texts)
        case "report.html":
            page = Page((run / "report.html").read_text())
            assert {
                unquote(reference) for reference in page.references if reference[:5] not in ("data:", "#sect")
            } == files
            assert set(CLASSES.values()) <= set(page.texts)
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
            assert [line for line in log.split("\n") if not line.isprintable()] == []


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
    assert any(shown in line for shown in CLASSES.values()), line
