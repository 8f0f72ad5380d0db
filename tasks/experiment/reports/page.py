"""Reports as pages: one Markdown template per report, and one frame that makes a self-contained HTML page of it."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def write_pages(folder: Path, report: str, captions: dict[str, str], **values: Any) -> None:
    """Write report.md, report.html (self-contained) and ui.md (Markdown with its plots inside, for Prefect's UI).

    report: "report" or "study"; captions: what folder/plots/<name>.png shows, by name.
    """
    template = _environment().get_template(f"page.{report}.md.j2")

    def write(address: Callable[[str], str]) -> str:
        plots = {name: f"![{caption}]({address(name)})\n\n*{caption}*" for name, caption in captions.items()}
        return template.render(plots=plots, **values)

    self_contained = write(lambda name: _data_uri(folder / "plots" / f"{name}.png"))
    (folder / "report.md").write_text(write(lambda name: f"plots/{name}.png"))
    (folder / "ui.md").write_text(self_contained)
    (folder / "report.html").write_text(to_html(self_contained))


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


def _number(value: float | None) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:#.4g}".rstrip(".")


def _data_uri(png: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode()
