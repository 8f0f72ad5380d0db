"""Prefect's UI in a real browser: what a user sees of a run, of its report, and of the parameter form."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.browser import browser, new_page
from tests.support.machine import PASSWORD, Machine

pytestmark = pytest.mark.operations
PLOTS = {
    "Test accuracy of each pair": (550, 396),
    "Learning curves of task B": (924, 396),
    "Confusion matrices": (924, 396),
    "Test images on which scratch and transfer disagree": (990, 374),
    "Error reduction by night, with its interval; what changed between two nights is marked": (990, 396),
}


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browser() as chromium:
        yield new_page(chromium, ":".join(PASSWORD))


def test_a_run_shows_its_name_verdict_graph_and_stages(served: Machine, first_night: dict, page: Any) -> None:
    page.goto(f"{served.ui}/runs/flow-run/{first_night['id']}")
    page.get_by_text(f"-nightly-200-samples-seeds-42-46-{first_night['id'][:8]}").first.wait_for()
    page.get_by_text("first", exact=True).first.wait_for()  # the tag, on a desk's screen
    page.wait_for_function(
        "() => { const graph = document.querySelector('canvas')?.getBoundingClientRect();"
        " return graph && graph.width > 600 && graph.height > 200 }"
    )
    page.get_by_role("tab", name="Task Runs").click()
    for name in ("download", "normalize", "split", "evaluate", "report"):
        page.get_by_text(name, exact=True).first.wait_for()
    for stage in ("train_A", "train_B_scratch", "transfer_B_on_A"):
        for seed in range(42, 47):
            page.get_by_text(f"{stage} seed {seed}", exact=True).first.wait_for()


@pytest.mark.parametrize("key", ["report", "nights"])
def test_plots_are_images_of_the_right_size(served: Machine, first_night: dict, page: Any, key: str) -> None:
    mine = {"flow_run_id": {"any_": [first_night["id"]]}, "key": {"any_": [key]}}
    (artifact,) = served.post("artifacts/filter", {"artifacts": mine})
    page.goto(f"{served.ui}/artifacts/artifact/{artifact['id']}")
    expected = PLOTS if key == "report" else dict([list(PLOTS.items())[-1]])
    for caption, size in expected.items():
        image = page.get_by_role("img", name=caption)
        seen = image.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])")
        assert tuple(seen) == size


def test_the_artifacts_page_keeps_their_history(served: Machine, first_night: dict, page: Any) -> None:
    page.goto(f"{served.ui}/artifacts/key/nights")
    page.get_by_text(first_night["name"]).first.wait_for()


def test_the_form_describes_and_limits_parameters(served: Machine, page: Any) -> None:
    page.goto(f"{served.ui}/deployments/deployment/{served.deployment('on-demand')['id']}/run")
    for description in (
        "Labelled images of task B to train on.",
        "Standardize each pixel over the training images, or train on raw 0–255 pixels.",
        "Number of pairs of runs, one per seed.",
        "Ignore the cache and recompute everything.",
    ):
        page.get_by_text(description).wait_for()
    for name, limits in {
        "Target Samples": ("2", "1000000"),
        "Hidden Layers": ("1", "8"),
        "replicates": ("1", "100000"),
    }.items():
        field = page.get_by_label(name).first
        assert (field.get_attribute("min"), field.get_attribute("max")) == limits
