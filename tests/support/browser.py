"""A real browser: Chromium, driven by playwright."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.processes import PATIENCE

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")  # Debian's name, Ubuntu's, and what GitHub has
DESK = {"width": 1280, "height": 900}
# As root, without a screen, and calling nobody but this machine.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
# Chromium's own defence against what the tests try: other browsers have none.
FLAGS += ["--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"]


@contextmanager
def browser(names: Sequence[str] = ()) -> Iterator[Any]:
    """For it these names are this machine's, as localhost is; no other name is known."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    assert path, "these tests need a browser: apt-get install chromium"
    here = ", ".join(f"MAP {name} 127.0.0.1" for name in (*names, "localhost"))
    rules = f"--host-resolver-rules={here}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=[*FLAGS, rules], timeout=PATIENCE * 1000)
        try:
            yield chromium
        finally:
            chromium.close()


def new_page(chromium: Any, password: str | None = None, size: dict[str, int] = DESK, colours: str = "light") -> Any:
    """A page that waits as long as it takes, on which Prefect's UI has been given this password."""
    page = chromium.new_page(viewport=size, color_scheme=colours)
    page.set_default_timeout(PATIENCE * 1000)
    if password:
        page.add_init_script(f"localStorage.setItem('prefect-password', btoa('{password}'))")
    return page
