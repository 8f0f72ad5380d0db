"""Killed in every way: the run's last state is right, its place is free, the next run goes on from the cache."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.machine import LONG, QUICK, Machine, machine

pytestmark = pytest.mark.operations
SILENCE = 90 + 30 + 15  # the automation's window, one heartbeat, and the server's own pace


def set_up(here: Machine) -> Machine:
    """Server, deployments and automations by the standard tools; the tests start workers."""
    here.start_server()
    here.deploy()
    assert here.command("flows.automations").returncode == 0
    return here


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("killed")) as here:
        yield set_up(here)


@dataclass
class Silent:
    """A machine on which no worker is left, its dead runs, and when the last one died."""

    machine: Machine
    runs: list[str]
    since: datetime


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silent]:
    """One worker was asked to end while busy, one was killed together with its run."""
    with machine(tmp_path_factory.mktemp("silent")) as there:
        set_up(there)
        with there.worker() as asked:
            first = there.submit("on-demand", replicates=1, experiment=LONG)
            there.wait_for_training(first)
            asked.terminate()
            assert asked.wait(60) == 0
        with there.worker() as killed:
            second = there.submit("nightly", replicates=1, experiment=LONG)
            pid = there.wait_for_training(second)
            too_many = there.submit("nightly", replicates=1)
            there.wait_for_state(too_many, "Cancelled", seconds=20)
            killed.kill()
            os.kill(pid, signal.SIGKILL)
        yield Silent(there, [first, second], datetime.now(UTC))


def test_a_run_that_died_with_its_worker_stays_as_running(silent: Silent) -> None:
    """Until the last test, which waits for the end of the silence: the others, on another machine, fill it."""
    assert silent.machine.flow_run(silent.runs[-1])["state_name"] == "Running"


def test_a_killed_flow_process_is_crashed_and_the_next_run_goes_on_from_the_cache(here: Machine) -> None:
    with here.worker():
        run = here.submit("on-demand", replicates=1, experiment=LONG)
        os.kill(here.wait_for_training(run), signal.SIGKILL)
        assert "-9" in here.wait_for_state(run, "Crashed", seconds=20)["state"]["message"]
        again = here.submit("on-demand", replicates=1, experiment=QUICK)
        here.wait_for_state(again, "Completed", seconds=60)
        cached = {name for name, state in here.task_states(again).items() if state == "Cached"}
        assert cached == {"download", "normalize", "split", "train_B_scratch seed 42"}


def test_a_run_goes_on_while_the_server_restarts(here: Machine) -> None:
    with here.worker():
        run = here.submit("on-demand", replicates=1, experiment=QUICK | {"source_epochs": 60})
        here.wait_for_training(run)
        assert here.server
        here.stop(here.server)
        assert not here.answers()
        here.start_server()
        here.wait_for_state(run, "Completed", seconds=90)
        assert here.flow_runs(state={"type": {"any_": ["RUNNING", "PENDING"]}}) == []


def test_runs_of_killed_workers_are_crashed_when_their_heartbeats_stop(silent: Silent) -> None:
    for run in silent.runs:
        state = silent.machine.wait_for_state(run, "Crashed", seconds=SILENCE)["state"]
        assert "No heartbeat" in state["message"]
        assert datetime.fromisoformat(state["timestamp"]) < silent.since + timedelta(seconds=SILENCE)
    with silent.machine.worker():
        for deployment in ("on-demand", "nightly"):  # their places are free
            run = silent.machine.submit(deployment, replicates=1, experiment=QUICK)
            silent.machine.wait_for_state(run, "Completed", "First", seconds=60)
