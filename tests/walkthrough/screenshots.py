"""The docs' pictures of terminal, report and Prefect's UI, of today: `make screenshots`.

On a machine of its own, the experiment is run as a newcomer does, and then four nights, with a changed program in the
last two. It takes some minutes, and Chromium.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from tasks.storage.roots import ROOT, data_root
from tests.support.browser import browser, new_page
from tests.support.machine import PASSWORD, Machine, machine
from tests.support.nights import DRIFTS, REGRESSES
from tests.support.terminal import in_terminal, left_on_screen

FOLDER = ROOT / "artifacts" / "example"
COLUMNS, FIRST, LAST = 132, 8, 12  # of the terminal's lines, how many are shown
WIDTHS = {"ui-nights": 1800, "ui-run": 1500}  # pixels: tags want width
HEIGHTS = {"ui-report": 1500, "report": 1000}  # plots want height
DRAWING = 15_000  # milliseconds: the run's graph is on a canvas, which can't be asked whether it is drawn


def take_first_run(here: Machine, page: Any) -> None:
    """terminal.png and report.png, of `make run` where there is no server yet."""
    unknown = {"PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING", "CI", "GITHUB_ACTIONS"}
    environment = {name: value for name, value in here.environment.items() if name not in unknown}
    environment |= {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    status, shown = in_terminal([sys.executable, "-m", "flows.transfer_learning"], here.project, environment)
    if status:
        sys.exit(f"the run failed:\n{shown}")
    shown = shown.replace(str(here.folder), "headstart").replace(str(data_root()), "headstart/data")
    lines = left_on_screen(shown)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi("\n".join([*lines[:FIRST], "…", *lines[-LAST:]])))
    page.set_content(console.export_svg(title="make run"))
    page.locator("svg").screenshot(path=FOLDER / "terminal.png")
    picture(page, "report", (here.folder / "artifacts/latest/report.html").resolve().as_uri(), "How it was made")


def take_nights(here: Machine, page: Any) -> None:
    """ui-{run,report,form,recommend,nights}.png, of nights with each of the verdicts, and of two forms."""
    nightly = here.deployment("nightly")["id"]
    form, question = (
        here.deployment(f"{flow}/on-demand")["id"] for flow in ("transfer-learning", "transfer-recommend")
    )
    night(here), night(here)
    newest = here.flow_runs(deployment_id={"any_": [nightly]}, start_time={"is_null_": False})[0]
    mine = {"flow_run_id": {"any_": [newest["id"]]}, "key": {"any_": ["report"]}}
    (report,) = here.post("artifacts/filter", {"artifacts": mine})
    picture(page, "ui-run", f"{here.ui}/runs/flow-run/{newest['id']}", newest["name"])
    picture(page, "ui-report", f"{here.ui}/artifacts/artifact/{report['id']}", "Test accuracy of each pair")
    picture(page, "ui-form", f"{here.ui}/deployments/deployment/{form}/run", "Number of pairs of runs, one per seed.")
    wanted = "Use only so many labelled images"
    picture(page, "ui-recommend", f"{here.ui}/deployments/deployment/{question}/run", wanted)
    for change in (DRIFTS, REGRESSES):
        here.edit(*change)
        night(here)
    picture(page, "ui-nights", f"{here.ui}/deployments/deployment/{nightly}", "regressed")


def night(here: Machine) -> None:
    """A night's run, whatever its verdict. Exits with what was said if it has none."""
    done = here.run("nightly")
    run = here.flow_runs(start_time={"is_null_": False})[0]
    if not {"first", "reproduced", "drifted", "regressed"}.intersection(run["tags"]):
        sys.exit(f"a night failed:\n{done.stdout}{done.stderr}")


def picture(page: Any, name: str, address: str, there: str) -> None:
    """<name>.png of that page, once it has that text."""
    page.set_viewport_size({"width": WIDTHS.get(name, 1280), "height": HEIGHTS.get(name, 900)})
    page.goto(address)
    page.get_by_text(there).first.wait_for()
    if name.startswith("ui-"):
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(DRAWING)
    page.screenshot(path=FOLDER / f"{name}.png")
    print(FOLDER / f"{name}.png", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as here, browser() as chromium:
        page = new_page(chromium, ":".join(PASSWORD))
        take_first_run(here, page)
        here.serve()
        take_nights(here, page)
