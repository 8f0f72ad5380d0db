"""The webhook is called once for a run that ends badly: whatever it answers, and when SQLite is locked meanwhile."""

import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.machine import Machine, machine
from tests.support.processes import free_port, until
from tests.support.services import webhook

pytestmark = pytest.mark.operations


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("webhook")) as here:
        here.start_server()
        yield here


@contextmanager
def listening(here: Machine, url: str) -> Iterator[None]:
    assert here.command("flows.automations", "--webhook", stdin=url).returncode == 0
    yield
    assert here.command("flows.automations", "--webhook", stdin="\n").returncode == 0


def running(here: Machine) -> tuple[str, str]:
    """A new run: (id, name)."""
    flow = here.post("flows/", {"name": "transfer-learning"})["id"]
    name = f"run {uuid.uuid4().hex}"
    return here.post("flow_runs/", {"flow_id": flow, "name": name, "state": {"type": "RUNNING"}})["id"], name


def end(here: Machine, run: str, *states: str) -> None:
    for state in states:
        here.post(f"flow_runs/{run}/set_state", {"state": {"type": state}, "force": True})


def assert_told_once(told: list[str], name: str, tell_of_another: Callable[[], str]) -> None:
    """After three others, told of one after the other, no second call for this run is on its way."""
    until(lambda: any(name in text for text in told), f"the webhook is told of {name}")
    for _ in range(3):
        another = tell_of_another()
        until(lambda another=another: any(another in text for text in told), f"the webhook is told of {another}")  # type: ignore[misc]
    assert sum(name in text for text in told) == 1


@pytest.mark.fault("a webhook that answers {status}, after {seconds} s", "it is called once for a failed run")
@pytest.mark.parametrize(("status", "seconds"), [(200, 0), (500, 0), (200, 6)])
def test_answers(here: Machine, status: int, seconds: float) -> None:
    def fail() -> str:
        run, name = running(here)
        end(here, run, "FAILED")
        return name

    with webhook(status=status, seconds=seconds) as (url, told), listening(here, url):
        assert_told_once(told, fail(), fail)


@pytest.mark.fault("a run that ends several times: {states}", "the webhook is called once")
@pytest.mark.parametrize("states", [("FAILED", "CRASHED"), ("CRASHED", "FAILED", "CRASHED")])
def test_one_run_one_call(here: Machine, states: tuple[str, ...]) -> None:
    def go_wrong(*states: str) -> str:
        run, name = running(here)
        end(here, run, *states)
        return name

    with webhook() as (url, told), listening(here, url):
        assert_told_once(told, go_wrong(*states), lambda: go_wrong("FAILED"))


@pytest.mark.fault("a webhook that is away", "the call is lost, and seen in the event feed; the next one reaches it")
def test_away(here: Machine) -> None:
    port = free_port()
    failed = {"filter": {"event": {"name": ["prefect.automation.action.failed"]}}}
    with listening(here, f"http://127.0.0.1:{port}/"):
        before = here.post("events/filter", failed)["total"]
        run, lost = running(here)
        end(here, run, "FAILED")
        until(lambda: here.post("events/filter", failed)["total"] > before, "the call has failed")
        with webhook(port) as (_, told):
            run, name = running(here)
            end(here, run, "FAILED")
            until(lambda: told, "the webhook is told")
            assert [name in text for text in told] == [True]
            assert lost not in told[0]


@pytest.mark.fault(
    "SQLite written to all the time by another program while a run fails", "the webhook is called, and once"
)
def test_locked(here: Machine) -> None:
    """Then Prefect can't write where it has read before, and evaluates the event anew, for every automation."""

    def fails(run: str) -> None:  # as Prefect says it; the API itself could not write the state
        now, id_ = datetime.now(UTC).isoformat(), str(uuid.uuid4())
        resource = {"prefect.resource.id": f"prefect.flow-run.{run}"}
        flow = {"prefect.resource.id": f"prefect.flow.{uuid.uuid4()}", "prefect.resource.role": "flow"}
        related = [flow | {"prefect.resource.name": "transfer-learning"}]
        event = {
            "occurred": now,
            "event": "prefect.flow-run.Failed",
            "resource": resource,
            "related": related,
            "id": id_,
        }
        assert here.ask("POST", "events", [event]).status_code == 204

    with webhook() as (url, told), listening(here, url):
        runs = [running(here) for _ in range(4)]
        others = iter(runs[1:])

        def tell_of_another() -> str:
            run, name = next(others)
            fails(run)
            return name

        with written_to(Path(here.environment["PREFECT_HOME"]) / "prefect.db"):
            fails(runs[0][0])
            assert_told_once(told, runs[0][1], tell_of_another)


@contextmanager
def written_to(database: Path) -> Iterator[None]:
    """One short transaction after another."""
    enough = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database, timeout=600, isolation_level=None)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS written (what)")
            while not enough.wait(0.001):
                connection.execute("INSERT INTO written VALUES ('this')")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        enough.set()
        writer.join()
