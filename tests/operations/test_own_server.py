"""The server that `make run` brings: whether it is needed at all. Silent beside `make serve`: test_kills.py."""

import http.server
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.browser import browser, new_page
from tests.support.machine import PASSWORD, Machine, machine
from tests.support.own_servers import assert_nothing_after_the_answer, elsewhere, new_run, start
from tests.support.terminal import in_terminal

pytestmark = pytest.mark.operations


def server_log(here: Machine) -> Path:
    return Path(here.environment["PREFECT_HOME"]) / "headstart-server.log"


def test_the_server_of_make_serve_is_used_and_its_link_opens(served: Machine) -> None:
    before = server_log(served).stat().st_mtime_ns if server_log(served).exists() else None
    port, password = served.environment["PREFECT_SERVER_API_PORT"], ":".join(PASSWORD)
    run = start(served, "21", elsewhere(served, PREFECT_SERVER_API_PORT=port, PREFECT_API_AUTH_STRING=password))
    assert run.wait() == 0, run.said()[-3000:]
    after = server_log(served).stat().st_mtime_ns if server_log(served).exists() else None
    assert after == before, "it has started a server of its own"
    link = next(line.split("View at ")[1] for line in run.said().splitlines() if "View at " in line)
    assert link.startswith(served.api.removesuffix("/api"))
    with browser() as chromium:
        page = new_page(chromium, password)
        page.goto(link)
        page.get_by_text(new_run(served, "21", run)["name"]).first.wait_for()


@contextmanager
def at_the_default_port(what: str, here: Machine) -> Iterator[dict[str, str]]:
    """The environment in which this is found where `make serve` would be."""
    if what == "a server with another password":
        port = here.environment["PREFECT_SERVER_API_PORT"]
        yield elsewhere(here, PREFECT_SERVER_API_PORT=port, PREFECT_API_AUTH_STRING="another:password")
        return
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever).start()
        yield elsewhere(here, PREFECT_SERVER_API_PORT=str(other.server_port))
        other.shutdown()


@pytest.mark.fault("{what} where `make serve` would be", "the run brings its own server")
@pytest.mark.parametrize("what", ["a server with another password", "something that is not Prefect"])
def test_a_stranger(served: Machine, what: str) -> None:
    with at_the_default_port(what, served) as environment:
        run = start(served, "21", environment, what)  # trained already, by the run that used the server
        assert run.wait() == 0, run.said()[-3000:]
        assert_nothing_after_the_answer(run.said())
        name = re.findall("Flow run '(.+?)'", run.said())[0]
        assert [seen["state_name"] for seen in served.flow_runs(name={"any_": [name]})] == ["Completed"]


@pytest.mark.fault(
    "`make serve` in a terminal, by someone who has Prefect profiles", "no question; they stay as they were"
)
def test_profiles(tmp_path: Path) -> None:
    profiles = tmp_path / "prefect" / "profiles.toml"
    with machine(tmp_path) as here:
        environment = here.environment | {"PREFECT_API_URL": ""}
        profiles.parent.mkdir()
        written = f'active = "mine"\n[profiles.mine]\n[profiles.other]\nPREFECT_API_URL = "{here.api}"\n'
        profiles.write_text(written)
        command = [sys.executable, "-m", "flows.serve"]
        status, shown = in_terminal(command, here.project, environment, last="Ctrl-C ends everything.")
        assert status == 0, shown[-3000:]
        assert "How would you like to proceed" not in shown
        assert "Switched to profile" not in shown
        assert "usage data" not in shown
        assert profiles.read_text() == written
