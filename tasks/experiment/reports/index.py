"""A page that lists all runs, newest first: runs/index.html."""

from typing import Any
from urllib.parse import quote

from tasks.experiment.reports.html import to_html
from tasks.experiment.reports.metrics import read_metrics
from tasks.experiment.reports.page import render
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
    """address: of its folder, relative to the page. metrics: None if they can't be read."""
    name = run.folder.name
    entry: dict[str, Any] = {"name": name, "address": f"./{quote(name)}", "time": run.time, "metrics": None}
    try:
        metrics = read_metrics(run.folder)
        return entry | {"metrics": metrics, "settings": metrics["experiment"], "answer": str(metrics["answer"])}
    except (OSError, ValueError, KeyError, TypeError):
        return entry  # damaged, or of another kind
