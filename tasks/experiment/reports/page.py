"""Reports as Markdown: one template per report, which a run completes with what it is and where its files are."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.experiment.reports.lettering import unwritable
from tasks.experiment.reports.phrases import SCORES, by_metric
from tasks.experiment.settings import Experiment
from tasks.storage.files import printable, write_text


def write_body(folder: Path, report: str, captions: dict[str, str], **values: Any) -> None:
    """Write report.md without what only the run knows that publishes it (`complete` adds that).

    report: "report" or "study"; captions: what folder/plots/<name>.png shows, by name.
    """
    metric = values["metrics"]["experiment"].get("metric", "accuracy")  # which a recommendation does not ask for
    plots = plots_of({name: by_metric(caption, metric) for name, caption in captions.items()})
    write_text(folder / "report.md", render(f"page.{report}.md.j2", plots=plots, scores=SCORES, **values))


def plots_of(captions: Mapping[str, str]) -> dict[str, str]:
    """Markdown of plots/<name>.png with its caption, by name."""
    return {name: f"![{caption}](plots/{name}.png)\n\n*{caption}*" for name, caption in captions.items()}


def complete(body: str, **values: Any) -> str:
    """A report's Markdown with its run, date and commit below the answer, and how it was made at its end.

    values: metrics; and of the links that are wanted, files: by folder, or place: where the run's folder is.
    """
    title, answer, rest = body.split("\n\n", 2)
    return render("page.complete.md.j2", title=title, answer=answer, rest=rest, **values)


def render(template: str, **values: Any) -> str:
    """A template of this folder as plain text."""
    return environment().get_template(template).render(**values)


def environment(autoescape: bool = False) -> Environment:
    """With filters for numbers and settings, and with `text`, by which names that people gave stay text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # YAML has no pairs of escapes, as for an emoji
    environment.filters |= {"text": _text, "number": _number, "value": setting, "moment": moment, "commit": commit}
    environment.filters |= {"given": given, "defaults": _defaults, "printable": printable}
    environment.filters |= {"by_metric": by_metric, "unwritable": unwritable}
    return environment


def setting(value: object) -> str:
    """A setting's value as one would say it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(setting, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def moment(iso: str) -> str:
    """A time in UTC, to the minute."""
    return f"{iso[:16].replace('T', ' ')} UTC"


def commit(run: Mapping[str, Any]) -> str:
    """The commit that a run was made with."""
    if run["commit"] is None:
        return "none (not a git checkout)"
    return run["commit"][:12] + (" with changes" if run["changed"] else "")


def given(experiment: dict[str, Any]) -> dict[str, Any]:
    """The settings that are not their defaults."""
    usual = Experiment().model_dump(mode="json")
    return {name: value for name, value in experiment.items() if name not in usual or value != usual[name]}


def _defaults(experiment: dict[str, Any]) -> dict[str, Any]:
    others = given(experiment)
    return {name: value for name, value in experiment.items() if name not in others}


def _text(value: object) -> str:
    """On one line, and without anything that Markdown, or what shows it, would take for more than text."""
    return re.sub(r"([\\`*_\[\]<>&|~$#])", r"\\\1", printable(" ".join(str(value).split())))


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.{decimals}f}"
