"""Names of classes in any script: the font that has its letters is found, and what none has is escaped."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from tasks.experiment.reports import lettering
from tasks.experiment.reports.figures import Figure, Plot, draw_plots, figure_with_axes
from tasks.experiment.reports.lettering import fonts_for, label, unwritable
from tasks.experiment.reports.plots import draw_confusions


def write_font(path: Path, family: str, letters: str) -> str:
    """A font in which each of these letters is a square."""
    pen = TTGlyphPen(None)
    for number, corner in enumerate(((0, 0), (0, 500), (500, 500), (500, 0))):
        (pen.lineTo if number else pen.moveTo)(corner)
    pen.closePath()
    square, names = pen.glyph(), [".notdef", *(f"letter{number}" for number in range(len(letters)))]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names[1:], strict=True)})
    font.setupGlyf(dict.fromkeys(names, square))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": family, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return str(path)


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The fonts of a machine with three, one of them damaged."""
    fonts = [write_font(tmp_path / f"{family}.ttf", family, letters)
             for family, letters in (("Some", "猫"), ("More", "猫犬"))]  # fmt: skip
    (tmp_path / "Damaged.ttf").write_bytes(b"\0\1\0\0")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [*fonts, str(tmp_path / "Damaged.ttf")])
    known = list(font_manager.fontManager.ttflist)
    lettering._found.cache_clear()
    yield fonts
    font_manager.fontManager.ttflist[:] = known
    lettering._found.cache_clear()


def test_the_fonts_that_have_the_letters_follow_the_base() -> None:
    assert fonts_for(["cat", "Кошка"]) == ["DejaVu Sans"]
    assert fonts_for(["cat", "猫", "犬"]) == ["DejaVu Sans", "More"]
    assert not unwritable(["猫犬", "Кошка"])


def test_letters_that_no_font_has_are_escaped() -> None:
    assert unwritable(["猫", "한 a"]) == {"한"}
    assert label("猫 한") == r"猫 \ud55c"
    assert label("🀀") in ("🀀", r"\U0001f000")


def test_a_long_name_is_cut() -> None:
    assert label("x" * 24) == "x" * 24
    assert label("x" * 25) == "x" * 23 + "…"
    assert label("abcdef", 4) == "abc…"
    assert label("猫犬猫犬", 5) == "猫犬…", "such letters are two columns wide"
    assert label("한한한", 13) == r"\ud55c\ud55c…", "an escape is whole or not there"


@pytest.mark.parametrize("names", [["x" * 40, "y" * 40], ["猫" * 40, "한국" * 9], list("abcdefghijkl")])
def test_confusions_of_long_names_fit(names: list[str], tmp_path: Path) -> None:
    """matplotlib warns where labels leave no room for axes, and here a warning is an error."""
    counts = {"confusion": [[1] * len(names)] * len(names)}
    plot = Plot("Confusion", lambda pairs: draw_confusions(pairs, names))
    draw_plots({"confusion": plot}, [{"scratch": counts, "transfer": counts}], tmp_path / "plots", names)


def test_a_plot_in_such_a_font_has_no_boxes_and_no_warnings(tmp_path: Path) -> None:
    """matplotlib warns of a glyph that is missing, and here a warning is an error."""
    names = ["猫", "犬한", "Кошка"]

    def draw(names: list[str]) -> Figure:
        figure, (ax,) = figure_with_axes(1, "names", width=3, height=2)
        ax.set_xticks(range(3), [label(name) for name in names])
        return figure

    plots = {"names": Plot("Names", draw)}
    draw_plots(plots, names, tmp_path / "plots", names)
    with pytest.raises(UserWarning, match=r"Glyph 29483 .* missing"):
        draw_plots(plots, names, tmp_path / "without")
