"""Reports as pages: one Markdown template per report, and one frame that makes a self-contained HTML page of it."""

import base64
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.experiment.reports.lettering import unwritable
from tasks.experiment.reports.phrases import SCORES, by_metric
from tasks.storage.files import printable, write_text


def write_pages(folder: Path, report: str, captions: dict[str, str], **values: Any) -> None:
    """Write report.md and, self-contained, report.html.

    report: "report" or "study"; captions: what folder/plots/<name>.png shows, by name.
    """
    metric = values["metrics"]["experiment"]["metric"]
    told = {name: by_metric(caption, metric) for name, caption in captions.items()}
    plots = {name: f"![{caption}](plots/{name}.png)\n\n*{caption}*" for name, caption in told.items()}
    written = render(f"page.{report}.md.j2", plots=plots, scores=SCORES, **values)
    write_text(folder / "report.md", written)
    write_text(folder / "report.html", to_html(with_plots_inside(written, folder)))


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

    parser = MarkdownIt("js-default")
    parts = parser.parse(markdown)
    body = parser.renderer.render(parts, parser.options, {})
    heading = next(part for part in parts if part.type == "inline")
    title = "".join(text.content for text in heading.children or ())
    return _environment(autoescape=True).get_template("page.html.j2").render(title=title, body=Markup(body))


def _environment(autoescape: bool = False) -> Environment:
    """With two filters of its own: `number`, for tables; and `text`, by which names that people gave stay text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # YAML has no pairs of escapes, as for an emoji
    environment.filters |= {
        "text": _text,
        "number": _number,
        "by_metric": by_metric,
        "unwritable": unwritable,
    }
    return environment


def _text(value: object) -> str:
    """On one line, and without anything that Markdown, or what shows it, would take for more than text."""
    return re.sub(r"([\\`*_\[\]<>&|~$#])", r"\\\1", printable(" ".join(str(value).split())))


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.{decimals}f}"


def data_uri(png: Path) -> str:
    """The image as an address."""
    return "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode()
