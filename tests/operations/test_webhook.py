"""The webhook is called once for a run that ends badly: whatever it answers, and when SQLite is locked meanwhile."""

import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.machine import Machine
from tests.support.processes import free_port, until
from tests.support.services import webhook

pytestmark = pytest.mark.operations


@contextmanager
def listening(served: Machine, url: str) -> Iterator[None]:
    served.set_webhook(url)
    yield
    served.set_webhook("")


def running(served: Machine, state: str = "RUNNING") -> tuple[str, str]:
    """A new run: (id, name)."""
    flow = served.post("flows/", {"name": "transfer-learning"})["id"]
    name = f"run {uuid.uuid4().hex}"
    return served.post("flow_runs/", {"flow_id": flow, "name": name, "state": {"type": state}})["id"], name


def end(served: Machine, run: str, *states: str) -> None:
    for state in states:
        served.post(f"flow_runs/{run}/set_state", {"state": {"type": state}, "force": True})


def assert_told_once(told: list[str], name: str, tell_of_another: Callable[[], str]) -> None:
    """After three others, told of one after the other, no second call for this run is on its way."""

    def is_told(of: str) -> None:
        until(lambda: any(of in text for text in told), f"the webhook is told of {of}", saw=lambda: told)

    is_told(name)
    for _ in range(3):
        is_told(tell_of_another())
    assert len([text for text in told if name in text]) == 1, told


@pytest.mark.fault("a webhook that answers {status}, after {seconds} s", "it is called once for a failed run")
@pytest.mark.parametrize(("status", "seconds"), [(200, 0), (500, 0), (200, 6)])
def test_answers(served: Machine, status: int, seconds: float) -> None:
    def fail() -> str:
        run, name = running(served)
        end(served, run, "FAILED")
        return name

    with webhook(status=status, seconds=seconds) as (url, told), listening(served, url):
        assert_told_once(told, fail(), fail)


@pytest.mark.fault("a run that ends several times: {states}", "the webhook is called once")
@pytest.mark.parametrize("states", [("FAILED", "CRASHED"), ("CRASHED", "FAILED", "CRASHED")])
def test_one_run_one_call(served: Machine, states: tuple[str, ...]) -> None:
    def go_wrong(*states: str) -> str:
        run, name = running(served)
        end(served, run, *states)
        return name

    with webhook() as (url, told), listening(served, url):
        assert_told_once(told, go_wrong(*states), lambda: go_wrong("FAILED"))


def call_has_failed(served: Machine, run: str) -> bool:
    """Whether the event feed says so of what was done about this run's end."""
    ended = {"event": {"name": ["prefect.flow-run.Failed"]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}
    ends = [f"prefect.event.{event['id']}" for event in served.post("events/filter", {"filter": ended})["events"]]
    failed = {"event": {"name": ["prefect.automation.action.failed"]}, "related": {"id": ends}}
    return bool(ends and served.post("events/filter", {"filter": failed})["total"])


@pytest.mark.fault("a webhook that is away", "the call is lost, and seen in the event feed; the next one reaches it")
def test_away(served: Machine) -> None:
    port = free_port()
    with listening(served, f"http://127.0.0.1:{port}/"):
        run, lost = running(served)
        end(served, run, "FAILED")
        until(lambda: call_has_failed(served, run), "the call has failed")
        with webhook(port) as (_, told):
            run, name = running(served)
            end(served, run, "FAILED")
            until(lambda: told, "the webhook is told")
            assert [name in text for text in told] == [True]
            assert lost not in told[0]


@pytest.mark.fault(
    "SQLite written to all the time by another program while a run fails", "the webhook is called, and once"
)
def test_locked(served: Machine) -> None:
    """Then Prefect can't write where it has read before, and evaluates the event anew, for every automation.

    So it would be served, if the automation that waits for the run's heartbeats had a part in the event.
    """
    database = Path(served.environment["PREFECT_HOME"]) / "prefect.db"

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
        assert served.ask("POST", "events", [event]).status_code == 204

    with webhook() as (url, told), listening(served, url):
        runs = [running(served, "PENDING") for _ in range(4)]
        others = iter(runs[1:])
        until(lambda: all(served.is_waited_for(run) for run, _ in runs), "their heartbeats are waited for")

        def tell_of_another() -> str:
            run, name = next(others)
            fails(run)
            return name

        with written_to(database):
            fails(runs[0][0])
            assert_told_once(told, runs[0][1], tell_of_another)
        for run, _ in runs:  # so that nobody waits for their heartbeats any longer
            end(served, run, "CANCELLED")


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
