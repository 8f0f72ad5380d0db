"""Markdown as a self-contained page for any screen: what is wide scrolls inside itself, plots are in the page."""

import base64
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tasks.experiment.reports.metrics import Metrics
from tasks.experiment.reports.page import complete, environment
from tasks.storage.files import read_text, write_text

FOLDED = "h6"  # a heading of this level, and what follows it, is folded away
WIDE = '<{} class="wide" role="group" aria-label="{}" tabindex="0">'  # what scrolls can be reached by keyboard
KINDS = {".svg": "image/svg+xml", ".png": "image/png"}


def write_pages(folder: Path, metrics: Metrics) -> None:
    """Complete the report.md of a run's folder, and make report.html of it."""
    written = complete(read_text(folder / "report.md"), metrics=metrics, files=_files(folder))
    write_text(folder / "report.md", written)
    write_text(folder / "report.html", to_html(written, folder, contents=True))


def _files(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """(name, address relative to the folder) of its files, by the folder inside it that they are in."""
    found: dict[str, list[tuple[str, str]]] = {}
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        name = file.relative_to(folder).as_posix()
        found.setdefault(str(Path(name).parent), []).append((name, quote(name)))
    return found


def to_html(markdown: str, folder: Path | None = None, contents: bool = False) -> str:
    """The page; raw HTML inside the Markdown stays text.

    folder: that of the plots; the page holds their best form. contents: with a list of the sections below the answer.
    """
    from markupsafe import Markup

    parser = _parser()
    parts = parser.parse(markdown)
    heading = next(part for part in parts if part.type == "inline")
    title = "".join(text.content for text in heading.children or ())
    if folder:
        for image in (child for part in parts for child in part.children or () if child.type == "image"):
            _put_inside(image, folder)
    if contents:
        links = "\n".join(f"- [{name}](#{anchor})" for anchor, name in _number_sections(parts))
        first = [place for place, part in enumerate(parts) if part.type == "paragraph_close"][1] + 1  # after what it is
        parts[first:first] = [_html('<nav aria-label="Contents">\n'), *parser.parse(links), _html("</nav>\n")]
    body = parser.renderer.render(list(_fold(parts)), parser.options, {})
    return environment(autoescape=True).get_template("html.page.html.j2").render(title=title, body=Markup(body))


def _parser() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("js-default")
    renderer: Any = parser.renderer
    image = renderer.rules["image"]
    parser.add_render_rule("table_open", lambda *_: f"{WIDE.format('div', 'Table')}\n<table>\n")
    parser.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    parser.add_render_rule("image", lambda _, *given: f"{WIDE.format('span', 'Plot')}{image(*given)}</span>")
    return parser


def _html(text: str) -> Any:
    from markdown_it.token import Token

    return Token("html_block", "", 0, content=text)


def _fold(parts: list[Any]) -> Iterator[Any]:
    """All parts, with each FOLDED heading and what follows it in an element that opens on a click."""
    is_open = False
    for part in parts:
        if part.type == "heading_open" and is_open:
            yield _html("</details>\n")
            is_open = False
        if part.tag == FOLDED:
            is_open = True
            yield _html("<details><summary>" if part.nesting > 0 else "</summary>\n")
        else:
            yield part
    if is_open:
        yield _html("</details>\n")


def _number_sections(parts: list[Any]) -> Iterator[tuple[str, str]]:
    """(anchor, Markdown of its name) of each section, whose heading gets that anchor."""
    numbers = count(1)
    for opening, name in pairwise(parts):
        if opening.type == "heading_open" and opening.tag == "h2":
            opening.attrSet("id", anchor := f"section-{next(numbers)}")
            yield anchor, name.content


def _put_inside(image: Any, folder: Path) -> None:
    """A plot of the folder in the form that is sharp on every screen: lines as SVG, photographs twice as large."""
    from PIL import Image

    plot = folder / image.attrs["src"]
    double = plot.with_name(f"{plot.stem}@2x.png")
    if double.exists():
        with Image.open(double) as large:
            image.attrSet("width", str(large.width // 2))
    best = next(file for file in (plot.with_suffix(".svg"), double, plot) if file.exists())
    image.attrSet("src", data_uri(best))


def with_plots_inside(markdown: str, folder: Path) -> str:
    """A report.md of that folder with its plots inside, instead of beside it: for Prefect's UI, which shows no SVG."""
    for plot in (folder / "plots").glob("*.png"):
        markdown = markdown.replace(f"(plots/{plot.name})", f"({data_uri(plot)})")
    return markdown


def data_uri(image: Path) -> str:
    """The image as an address."""
    return f"data:{KINDS[image.suffix]};base64,{base64.b64encode(image.read_bytes()).decode()}"
