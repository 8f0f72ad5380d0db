"""Killed in every way: the run's last state is right, its place is free, the next run goes on from the cache."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.operations import LONG, QUICK, Machine, machine

pytestmark = pytest.mark.operations
SILENCE = 90 + 30 + 15  # the automation's window, one heartbeat, and the server's own pace


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Server, deployments and automations by the standard tools; the tests start workers."""
    with machine(tmp_path_factory.mktemp("killed")) as here:
        here.start_server()
        here.deploy()
        assert here.command("tasks.automations").returncode == 0
        yield here


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


def test_runs_of_killed_workers_are_crashed_when_their_heartbeats_stop(here: Machine) -> None:
    """One worker is asked to end while busy, one is killed together with its run; both runs would stay Running."""
    with here.worker() as asked:
        first = here.submit("on-demand", replicates=1, experiment=LONG)
        here.wait_for_training(first)
        asked.terminate()
        assert asked.wait(60) == 0
    with here.worker() as killed:
        second = here.submit("nightly", replicates=1, experiment=LONG)
        pid = here.wait_for_training(second)
        too_many = here.submit("nightly", replicates=1)
        here.wait_for_state(too_many, "Cancelled", seconds=20)
        killed.kill()
        os.kill(pid, signal.SIGKILL)
    for run in (first, second):
        assert "No heartbeat" in here.wait_for_state(run, "Crashed", seconds=SILENCE)["state"]["message"]
    with here.worker():
        for deployment in ("on-demand", "nightly"):  # their places are free
            run = here.submit(deployment, replicates=1, experiment=QUICK)
            here.wait_for_state(run, "Completed", "First", seconds=60)
