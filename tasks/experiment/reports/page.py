"""Reports as pages: one Markdown template per report, and one frame that makes a self-contained HTML page of it."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def write_pages(folder: Path, report: str, captions: dict[str, str], **values: Any) -> None:
    """Write report.md and, self-contained, report.html.

    report: "report" or "study"; captions: what folder/plots/<name>.png shows, by name.
    """
    plots = {name: f"![{caption}](plots/{name}.png)\n\n*{caption}*" for name, caption in captions.items()}
    written = render(f"page.{report}.md.j2", plots=plots, **values)
    (folder / "report.md").write_text(written)
    (folder / "report.html").write_text(to_html(with_plots_inside(written, folder)))


def with_plots_inside(markdown: str, folder: Path) -> str:
    """A report.md of that folder with its plots inside, instead of beside it."""
    for plot in (folder / "plots").glob("*.png"):
        markdown = markdown.replace(f"(plots/{plot.name})", f"({data_uri(plot)})")
    return markdown


def render(template: str, **values: Any) -> str:
    """A template of this folder as plain text."""
    return _environment().get_template(template).render(**values)


def to_html(markdown: str) -> str:
    """A self-contained page of a report's Markdown; raw HTML inside it stays text."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    body = MarkdownIt("js-default").render(markdown)
    title = markdown.splitlines()[0].lstrip("# ")
    return _environment(autoescape=True).get_template("page.html.j2").render(title=title, body=Markup(body))


def _environment(autoescape: bool = False) -> Environment:
    """With filters for tables: `number`; and `cell`, by which names that people gave stay text, inside their cell."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "number": _number}
    return environment


def _cell(value: object) -> str:
    """On one line, without a | that Markdown would take for the cell's end."""
    return " ".join(str(value).split()).replace("\\", "\\\\").replace("|", "\\|")


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.{decimals}f}"


def data_uri(png: Path) -> str:
    """The image as an address."""
    return "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode()
