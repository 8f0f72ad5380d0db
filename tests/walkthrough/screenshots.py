"""The docs' pictures of Prefect's UI, of today: `python -m tests.walkthrough.screenshots` (`make screenshots`).

On a machine of its own, two nights are run and looked at. It takes a few minutes, and Chromium.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tasks.storage.roots import ROOT
from tests.support.browser import browser, new_page
from tests.support.machine import PASSWORD, Machine, machine

FOLDER = ROOT / "artifacts" / "example"
WIDTHS = {"nights": 1800, "run": 1500}  # pixels
DRAWING = 15_000  # milliseconds: the run's graph is on a canvas, which can't be asked whether it is drawn


def take(here: Machine, page: Any, folder: Path) -> None:
    """ui-{nights,run,report,form,recommend}.png, of two nights and two forms."""
    for _ in range(2):
        done = here.run("nightly")
        if done.returncode:
            sys.exit(f"a night failed:\n{done.stdout}{done.stderr}")
    nightly = here.deployment("nightly")["id"]
    newest, first = here.flow_runs(deployment_id={"any_": [nightly]}, start_time={"is_null_": False})
    mine = {"flow_run_id": {"any_": [newest["id"]]}, "key": {"any_": ["report"]}}
    (report,) = here.post("artifacts/filter", {"artifacts": mine})
    form, question = (
        here.deployment(f"{flow}/on-demand")["id"] for flow in ("transfer-learning", "transfer-recommend")
    )
    for name, path, there in (
        ("nights", f"deployments/deployment/{nightly}", first["name"]),
        ("run", f"runs/flow-run/{newest['id']}", newest["name"]),
        ("report", f"artifacts/artifact/{report['id']}", "Test accuracy of each pair"),
        ("form", f"deployments/deployment/{form}/run", "Number of pairs of runs, one per seed."),
        ("recommend", f"deployments/deployment/{question}/run", "Use only so many labelled images"),
    ):
        # Tags want width, and the report's first plots height.
        page.set_viewport_size({"width": WIDTHS.get(name, 1280), "height": 1500 if name == "report" else 900})
        page.goto(f"{here.ui}/{path}")
        page.get_by_text(there).first.wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(DRAWING)
        page.screenshot(path=folder / f"ui-{name}.png")
        print(folder / f"ui-{name}.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as here, browser() as chromium:
        here.serve()
        take(here, new_page(chromium, ":".join(PASSWORD)), FOLDER)
