"""The report in words: one template each for Markdown and for a self-contained HTML page."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def answer(metrics: dict[str, Any]) -> str:
    """The result in one sentence."""
    result = metrics["error_reduction"]
    pairs = "1 pair of runs" if result["n"] == 1 else f"{result['n']} pairs of runs"
    if result["estimate"] is None:
        return f"Training from scratch made no test error at all ({pairs}): there is nothing to reduce."
    verb, size = ("cut", result["estimate"]) if result["estimate"] >= 0 else ("raised", -result["estimate"])
    text = f"Transfer {verb} the test error by {size:.1f} % "
    if result["low"] is None:
        return text + f"({pairs}, so there is no interval)."
    bounds = f"{result['low']:.1f} … {result['high']:.1f} %"
    return text + f"({100 * result['confidence']:.0f} % interval {bounds}, {pairs}, {result['method']})."


def render(kind: str, metrics: dict[str, Any], names: tuple[str, str], plots: dict[str, str]) -> str:
    """The report as `kind` ("md" or "html"); plots: caption → image address."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=kind == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"page.{kind}.j2").render(
        answer=answer(metrics), metrics=metrics, names=names, plots=plots
    )


def data_uri(png: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode()
