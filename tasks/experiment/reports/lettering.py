"""Names of classes as plots show them: in any script of which this machine has a font, and cut if they are long.

Matplotlib brings DejaVu Sans, which has Latin, Greek, Cyrillic, Arabic and a few more. Letters that no font here has
are escaped, for a box says nothing.
"""

import functools
from collections.abc import Iterable
from pathlib import Path
from unicodedata import east_asian_width

LONGEST = 24  # columns
BASE = "DejaVu Sans"


def label(name: str, longest: int = LONGEST) -> str:
    """The name, cut if it is wider than so many columns."""
    strange = unwritable([name])
    written = [letter.encode("unicode_escape").decode() if letter in strange else letter for letter in name]
    if sum(map(columns, written)) > longest:
        while sum(map(columns, written)) > longest - 1:
            written.pop()
        written.append("…")
    return "".join(written)


def columns(text: str) -> int:
    """How wide it is: letters of Chinese, Japanese and Korean take two columns (Unicode's annex 11)."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def fonts_for(names: Iterable[str]) -> list[str]:
    """The families of fonts that names need, in the order in which matplotlib looks for a letter."""
    return [BASE, *_found(_letters(names))[0]]


def unwritable(names: Iterable[str]) -> frozenset[str]:
    """The letters of which no font on this machine has a glyph."""
    return _found(_letters(names))[1]


def _letters(names: Iterable[str]) -> frozenset[str]:
    return frozenset(letter for name in names for letter in name if not letter.isascii())


@functools.cache
def _found(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """(families of fonts that have what the base lacks, letters that none has)."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    missing = letters - _glyphs(font_manager.findfont(BASE)) if letters else letters
    if not missing:
        return (), missing
    files = sorted(font_manager.findSystemFonts(), key=lambda file: ("Regular" not in Path(file).stem, file))
    families = []
    while missing and (best := max(files, key=lambda file: len(missing & _glyphs(file)), default=None)):
        if not missing & _glyphs(best):
            break
        font_manager.fontManager.addfont(best)
        families.append(FT2Font(best).family_name)
        missing -= _glyphs(best)
    return tuple(families), missing


@functools.cache
def _glyphs(file: str) -> frozenset[str]:
    """What a font can write: nothing if it can't be scaled, as those of coloured pictures, or be read."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(file)
        return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()
    except (OSError, RuntimeError):
        return frozenset()
