"""The server that `make run` brings: beside `make serve` on one database, and whether it is needed at all."""

import http.server
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.automations import SILENCE
from tests.support.browser import browser, new_page
from tests.support.machine import PASSWORD, Machine, machine
from tests.support.processes import Process, free_port, until
from tests.support.runs import QUICK, flags
from tests.support.services import webhook
from tests.support.terminal import in_terminal

pytestmark = pytest.mark.operations
RUN = ["flows.transfer_learning", "--replicates", "1", *flags(QUICK)]


def elsewhere(here: Machine, **environment: str) -> dict[str, str]:
    """The environment of someone who does not know of the server, and on whose machine CI is not mentioned."""
    unknown = {"PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING", "CI", "GITHUB_ACTIONS"}
    known = {name: value for name, value in here.environment.items() if name not in unknown}
    return known | {"PREFECT_SERVER_API_PORT": str(free_port())} | environment


def start(here: Machine, seed: str, environment: dict[str, str], name: str = "") -> Process:
    log = here.folder / f"{seed}{name}.log"
    process = Process([sys.executable, "-m", *RUN, "--seed", seed], log, folder=here.project, environment=environment)
    here.started.append(process)
    return process


def assert_nothing_after_the_answer(said: str) -> None:
    first_words = [re.split("[: ]", line)[0] for line in said.splitlines()]
    assert first_words[-4:] == ["Transfer", "Report", "Plots", "Models"], said[-3000:]
    assert "Traceback" not in said
    assert "View at" not in said


def server_log(here: Machine) -> Path:
    return Path(here.environment["PREFECT_HOME"]) / "headstart-server.log"


def new_run(here: Machine, seed: str, process: Process) -> dict:
    """The run of this seed, as `make serve` sees it, once it has begun."""

    def there() -> dict | None:
        return next((run for run in here.flow_runs() if run["parameters"].get("seed") == int(seed)), None)

    run = until(there, f"the run of seed {seed} is seen", process)
    assert run
    return run


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


@dataclass
class Silent:
    """Runs with servers of their own that say nothing since `since`, by seed; what a webhook was told meanwhile."""

    runs: dict[str, Process]
    since: float
    told: list[str]


@pytest.fixture(scope="module")
def silent(served: Machine) -> Iterator[Silent]:
    with webhook() as (url, told):
        served.succeed("flows.automations", "--webhook", stdin=url)
        runs = {seed: start(served, seed, elsewhere(served)) for seed in ("11", "12")}
        for seed, process in runs.items():
            served.wait_for_state(new_run(served, seed, process)["id"], "Running")
            process.send(signal.SIGSTOP)
        yield Silent(runs, time.monotonic(), told)
        served.succeed("flows.automations", "--webhook", stdin="\n")


def test_two_runs_fall_silent(served: Machine, silent: Silent) -> None:
    """Until the last test, which waits for the end of the silence: those between fill it."""
    assert {new_run(served, seed, process)["state_type"] for seed, process in silent.runs.items()} == {"RUNNING"}


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


@pytest.mark.fault(
    "two runs with servers of their own beside `make serve` on one database, each silent for longer than it waits",
    "both are Completed, the webhook is not called, nothing is said after the answer; both are seen in the UI",
)
def test_beside_make_serve(served: Machine, silent: Silent) -> None:
    """A promise in real time, and the fault itself."""
    time.sleep(max(0.0, silent.since + SILENCE.total_seconds() + 15 - time.monotonic()))
    for seed, process in silent.runs.items():
        assert new_run(served, seed, process)["state_type"] == "RUNNING"
        process.send(signal.SIGCONT)
    for seed, process in silent.runs.items():
        assert process.wait() == 0, process.said()[-3000:]
        assert_nothing_after_the_answer(process.said())
        run = served.wait_for_state(new_run(served, seed, process)["id"], "Completed")
        states = served.get(f"flow_run_states/?flow_run_id={run['id']}")
        assert [state["type"] for state in states] == ["PENDING", "RUNNING", "COMPLETED"]
        assert set(served.task_states(run["id"]).values()) <= {"Completed", "Cached"}
        assert not [text for text in silent.told if run["name"] in text]
