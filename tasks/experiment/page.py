"""The report in words: one template each for Markdown and for a self-contained HTML page."""

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
