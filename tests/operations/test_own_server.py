"""The server that `make run` brings: whether it is needed at all. Silent beside `make serve`: test_kills.py."""

import http.server
import re
import threading
from pathlib import Path

import pytest

from tasks.orchestration.servers.own_server import accepts_us
from tests.support.browser import browser, new_page
from tests.support.machine import PASSWORD, Machine
from tests.support.own_servers import assert_nothing_after_the_answer, elsewhere, new_run, start

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


@pytest.mark.fault("a server with another password where `make serve` would be", "the run brings its own server")
def test_a_stranger(served: Machine) -> None:
    port = served.environment["PREFECT_SERVER_API_PORT"]
    environment = elsewhere(served, PREFECT_SERVER_API_PORT=port, PREFECT_API_AUTH_STRING="another:password")
    run = start(served, "21", environment, " stranger")  # trained already, by the run that used the server
    assert run.wait() == 0, run.said()[-3000:]
    assert_nothing_after_the_answer(run.said())
    name = re.findall("Flow run '(.+?)'", run.said())[0]
    assert [seen["state_name"] for seen in served.flow_runs(name={"any_": [name]})] == ["Completed"]


@pytest.mark.fault("something that is not Prefect where `make serve` would be", "it is not taken for a server")
def test_something_else() -> None:
    """The run then brings its own server, as above."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever).start()
        try:
            assert not accepts_us(f"http://127.0.0.1:{other.server_port}/api")
        finally:
            other.shutdown()
