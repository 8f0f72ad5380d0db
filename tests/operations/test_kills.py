"""Killed in every way: the run's last state is right, its place is free, the next run goes on from the cache."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.machine import Machine, machine
from tests.support.runs import LONG, QUICK

pytestmark = pytest.mark.operations
SILENCE = 90 + 30.0  # seconds, a promise in real time: the automation's window, and at most one heartbeat before


def set_up(here: Machine) -> Machine:
    """Server, deployments and automations by the standard tools; the tests start workers."""
    here.start_server()
    here.deploy()
    assert here.command("flows.automations").returncode == 0
    return here


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("killed")) as here:
        # By default five, in about a minute: in which a busy machine might not have started the server again.
        here.environment["PREFECT_CLIENT_MAX_RETRIES"] = "10"
        yield set_up(here)


@dataclass
class Silent:
    """A machine on which no worker is left, and its dead runs."""

    machine: Machine
    runs: list[str]


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silent]:
    """One worker was asked to end while busy, one was killed together with its run."""
    with machine(tmp_path_factory.mktemp("silent")) as there:
        set_up(there)
        with there.worker() as asked:
            first = there.submit("on-demand", replicates=1, experiment=LONG)
            there.wait_for_training(first)
            asked.send(signal.SIGTERM)
            assert asked.wait() == 0
        with there.worker() as killed:
            second = there.submit("nightly", replicates=1, experiment=LONG)
            pid = there.wait_for_training(second)
            too_many = there.submit("nightly", replicates=1)
            there.wait_for_state(too_many, "Cancelled")
            killed.send(signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
        yield Silent(there, [first, second])


def test_a_run_that_died_with_its_worker_stays_as_running(silent: Silent) -> None:
    """Until the last test, which waits for the end of the silence: the others, on another machine, fill it."""
    assert silent.machine.flow_run(silent.runs[-1])["state_name"] == "Running"


def test_a_killed_flow_process_is_crashed_and_the_next_run_goes_on_from_the_cache(here: Machine) -> None:
    with here.worker():
        run = here.submit("on-demand", replicates=1, experiment=LONG)
        os.kill(here.wait_for_training(run), signal.SIGKILL)
        assert "-9" in here.wait_for_state(run, "Crashed")["state"]["message"]
        again = here.submit("on-demand", replicates=1, experiment=QUICK)
        here.wait_for_state(again, "Completed")
        cached = {name for name, state in here.task_states(again).items() if state == "Cached"}
        assert cached == {"download", "normalize", "split", "train_B_scratch seed 42"}


def test_a_run_goes_on_while_the_server_restarts(here: Machine) -> None:
    with here.worker():
        run = here.submit("on-demand", replicates=1, experiment=QUICK.vary(source_epochs=60))
        here.wait_for_training(run)
        assert here.server
        here.stop(here.server)
        assert not here.answers()
        here.start_server()
        here.wait_for_state(run, "Completed")
        assert here.flow_runs(state={"type": {"any_": ["RUNNING", "PENDING"]}}) == []


def test_runs_of_killed_workers_are_crashed_when_their_heartbeats_stop(silent: Silent) -> None:
    for run in silent.runs:
        state = silent.machine.wait_for_state(run, "Crashed", patience=10 * SILENCE)["state"]
        assert "No heartbeat" in state["message"]
    with silent.machine.worker():
        for deployment in ("on-demand", "nightly"):  # their places are free
            run = silent.machine.submit(deployment, replicates=1, experiment=QUICK)
            silent.machine.wait_for_state(run, "Completed", "First")
