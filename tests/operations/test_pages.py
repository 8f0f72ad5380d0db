"""The pages that people read, in a real browser: on a small screen, in the dark, and by axe-core's rules."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from tasks.experiment.reports.comparison import compare_runs, comparison_page
from tasks.experiment.reports.figures import draw_plots
from tasks.experiment.reports.html import to_html
from tasks.experiment.reports.index import write_index
from tasks.experiment.reports.plots import PAIRS, Reported
from tests.support.browser import DESK, browser, new_page
from tests.support.by_hand import B
from tests.support.pages import TUNED_CAPTIONS, metrics_by_hand, write_run, write_tuned_study

pytestmark = pytest.mark.operations
PHONE = {"width": 400, "height": 800}
PAGES = ("run/report.html", "study/report.html", "index.html", "comparison.html")
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PLOTS = {"pairs": PAIRS, "data": replace(PAIRS, photographs=True)}
LONG = "a-run-whose-name-is-much-longer-than-the-screen-of-a-telephone-is-wide-42-43-0123abcd"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and a study, the list of them, and their comparison."""
    root = tmp_path_factory.mktemp("pages")
    metrics = metrics_by_hand()
    metrics["run"] |= {"name": LONG, "command": f"python -m flows.transfer_learning --experiment.dataset={LONG * 3}"}
    for name, write, captions in (("run", write_run, PLOTS), ("study", write_tuned_study, TUNED_CAPTIONS)):
        folder = root / "runs" / name
        folder.mkdir(parents=True)
        draw_plots(PLOTS, Reported(B.data, metrics), folder / "plots")  # type: ignore[arg-type]
        write(folder, dict.fromkeys(captions, PAIRS.caption), metrics)  # type: ignore[operator]
        (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(root))
        write_index()
    compared = compare_runs({LONG: metrics, "another": metrics})  # type: ignore[dict-item]
    (root / "runs" / "comparison.html").write_text(to_html(comparison_page(compared)))
    return root / "runs"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as chromium:
        yield chromium


@pytest.fixture(params=[(PHONE, "light"), (PHONE, "dark"), (DESK, "dark")], ids=["phone", "phone-dark", "desk-dark"])
def tab(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Any]:
    size, colours = request.param
    page = new_page(chromium, size=size, colours=colours)
    yield page
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_the_screen_and_axe_finds_nothing_serious(name: str, runs: Path, tab: Any) -> None:
    tab.goto((runs / name).as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == tab.viewport_size["width"]
    tab.add_script_tag(path=AXE)
    found = tab.evaluate("axe.run()")["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert not serious, [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in serious]


def test_a_wide_table_scrolls_inside_itself(runs: Path, tab: Any) -> None:
    tab.goto((runs / "study/report.html").as_uri())
    tables = tab.locator("div.wide").evaluate_all("all => all.map(one => [one.scrollWidth, one.clientWidth])")
    screen = tab.viewport_size["width"]
    assert max(inside for _, inside in tables) <= screen
    assert any(whole > inside for whole, inside in tables) == (screen == PHONE["width"]), tables


def test_plots_are_on_white_whatever_the_colours_of_the_page(runs: Path, tab: Any) -> None:
    tab.goto((runs / "run/report.html").as_uri())
    plot = tab.get_by_role("img", name=PAIRS.caption).first
    assert plot.get_attribute("src").startswith("data:image/svg+xml")
    assert plot.evaluate("image => image.complete && image.naturalWidth") > 400
    background = "one => getComputedStyle(one).backgroundColor"
    assert plot.evaluate(background) == "rgb(255, 255, 255)"
    is_dark = tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert (tab.locator("body").evaluate(background) == "rgb(255, 255, 255)") != is_dark


def test_the_contents_lead_to_their_sections_and_defaults_unfold(runs: Path, tab: Any) -> None:
    tab.goto((runs / "run/report.html").as_uri())
    tab.get_by_role("navigation", name="Contents").get_by_role("link", name="How it was made").click()
    heading = tab.get_by_role("heading", name="How it was made")
    tab.wait_for_function("scrollY > 0")
    assert heading.bounding_box()["y"] < tab.viewport_size["height"]
    cell = tab.get_by_role("cell", name="target_samples", exact=True)
    assert not cell.is_visible()
    tab.get_by_text("Settings that have their default values").click()
    assert cell.is_visible()
