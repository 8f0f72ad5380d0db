"""Reports in words: a Markdown template each, and one frame that makes a self-contained HTML page of it."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def answer(metrics: dict[str, Any]) -> str:
    """The result in one sentence, which claims a direction only if the interval does."""
    result = metrics["error_reduction"]
    estimate, low, high = result["estimate"], result["low"], result["high"]
    if estimate is None:
        return "Training from scratch made no test error at all: there is nothing to reduce."
    if low is None:
        verb = "cut" if estimate >= 0 else "raised"
        return (
            f"Transfer {verb} the test error by {abs(estimate):.1f} % in a single pair of runs: no interval, no claim."
        )
    how = f"{result['n']} pairs of runs, {result['method']}"
    percent = f"{100 * result['confidence']:.0f} % interval"
    if low > 0:
        return f"Transfer cut the test error by {estimate:.1f} % ({percent} {low:.1f} … {high:.1f} %, {how})."
    if high < 0:
        return f"Transfer raised the test error by {-estimate:.1f} % ({percent} {-high:.1f} … {-low:.1f} %, {how})."
    return (
        "These runs can't tell whether transfer helps: it cut the test error by "
        f"{estimate:.1f} % ({percent} {low:.1f} … {high:.1f} %, {how})."
    )


def study_answer(study: dict[str, Any]) -> str:
    """The study's result in one sentence: its verdict by the rule, the error reduction, and its worth in labels."""
    result, labels = study["help"]["error_reduction"], study["labels"]
    n, estimate = result["n"], result["estimate"]
    said = {
        "helps": "Transfer helps",
        "hurts": "Transfer hurts",
        "can't tell": f"{n} {'pairs' if n > 1 else 'pair'} of runs can't tell whether transfer helps",
        "too small to matter": "What transfer changes is too small to matter",
    }[study["help"]["verdict"]]
    if estimate is None:
        return f"{said}: training from scratch made no test error at all."
    change = f"error reduction {estimate:.1f} %"
    if result["low"] is not None:
        percent = f"{100 * result['confidence']:.0f} % interval"
        change += f" ({percent} {result['low']:.1f} … {result['high']:.1f} %, {n} pairs)"
    equal = labels["equivalent"]
    return f"{said}: {change}; transfer at {labels['at']:,} images equals scratch at {_count(equal)}."


def _count(equal: dict[str, Any]) -> str:
    """A number of images with its interval; the ends of the budgets are open."""

    def images(n: float) -> str:
        if n <= equal["smallest"]:
            return f"{equal['smallest']:,} or fewer"
        return f"{equal['largest']:,} or more" if n >= equal["largest"] else f"{n:,.0f}"

    interval = f" ({images(equal['low'])} … {images(equal['high'])})" if equal["low"] is not None else ""
    return images(equal["estimate"]) + interval


def write_pages(folder: Path, report: str, captions: dict[str, str], **values: Any) -> None:
    """Write report.md, report.html (self-contained) and ui.md (Markdown with its plots inside, for Prefect's UI).

    report: "report" or "study"; captions: what folder/plots/<name>.png shows, by name.
    """
    plots = {name: folder / "plots" / f"{name}.png" for name in captions}
    beside = {name: str(path.relative_to(folder)) for name, path in plots.items()}
    inside = {name: _data_uri(path) for name, path in plots.items()}
    template = _environment().get_template(f"page.{report}.md.j2")
    written, self_contained = (
        template.render(plots=addresses, captions=captions, **values) for addresses in (beside, inside)
    )
    (folder / "report.md").write_text(written)
    (folder / "ui.md").write_text(self_contained)
    (folder / "report.html").write_text(to_html(self_contained))


def to_html(markdown: str) -> str:
    """A self-contained page of a report's Markdown; raw HTML inside it stays text."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    body = MarkdownIt("js-default").render(markdown)
    title = markdown.splitlines()[0].lstrip("# ")
    return _environment(autoescape=True).get_template("page.html.j2").render(title=title, body=Markup(body))


def _environment(autoescape: bool = False) -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _data_uri(png: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode()
