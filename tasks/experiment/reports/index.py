"""A page that lists all runs, newest first: runs/index.html."""

import os
from typing import Any
from urllib.parse import quote

from tasks.experiment.reports.html import to_html
from tasks.experiment.reports.metrics import read_metrics
from tasks.experiment.reports.page import commit, given, moment, render, setting
from tasks.storage.files import write_text
from tasks.storage.locks import UNFINISHED, locked, temporary_folder
from tasks.storage.roots import artifacts_root, is_shared, shared_root
from tasks.storage.runs import INDEX, Run, read_runs


def write_index() -> None:
    """List the runs that are there now; who reads the page meanwhile sees the old one or the new one."""
    root = artifacts_root()
    with locked(root / UNFINISHED / "index.lock"):  # else a run that ends meanwhile might be missing
        page = to_html(render("index.runs.md.j2", runs=[_entry(run) for run in reversed(read_runs())]))
        if is_shared():
            write_text(shared_root() / "runs" / INDEX, page)
            return
        (root / "runs").mkdir(parents=True, exist_ok=True)
        with temporary_folder(root) as temporary:
            write_text(temporary / INDEX, page)
            (temporary / INDEX).replace(root / "runs" / INDEX)


def _entry(run: Run) -> dict[str, Any]:
    """address: of its folder, relative to the page. answer: None if its metrics can't be read."""
    name = run.folder.name
    when = moment(run.time) if run.time else "date unknown"
    entry: dict[str, Any] = {"name": name, "address": f"./{quote(os.fsencode(name))}", "facts": [when], "answer": None}
    try:
        metrics = read_metrics(run.folder)
        facts = [f"commit {commit(metrics['run'])}"] if "run" in metrics else []
        facts += [f"{name} {setting(value)}" for name, value in sorted(given(metrics["experiment"]).items())]
        verdict = metrics.get("verdict")
        said = f"{verdict['name']}: {verdict['reason']}" if verdict else None
        return entry | {"facts": [when, *facts], "answer": metrics["answer"], "verdict": said}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return entry  # damaged, or of another kind
