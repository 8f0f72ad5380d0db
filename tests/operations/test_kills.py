"""Killed in every way: the run's last state is right, its place is free, the next run goes on from the cache."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support import signals
from tests.support.machine import Machine, machine
from tests.support.runs import LONG, QUICK

pytestmark = pytest.mark.operations
SILENCE = 90 + 30.0  # seconds, a promise in real time: the automation's window, and at most one heartbeat before


@dataclass
class Silent:
    """A machine on which no worker is left, and its dead runs."""

    machine: Machine
    runs: list[str]


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silent]:
    """One worker was asked to end while busy, one was killed together with its run."""
    with machine(tmp_path_factory.mktemp("silent")) as there:
        # By default five, in about a minute: in which a busy machine might not have started the server again.
        there.environment["PREFECT_CLIENT_MAX_RETRIES"] = "10"
        there.start_server()
        there.succeed("flows.deployments")
        there.succeed("flows.automations")
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
    """Until the last test, which waits for the end of the silence: the others fill it."""
    assert silent.machine.flow_run(silent.runs[-1])["state_name"] == "Running"


def test_a_run_and_its_worker_go_on_while_the_server_restarts(silent: Silent) -> None:
    here = silent.machine
    data = signals.write_npz(here.folder / "made.npz", images=900)
    experiment = QUICK.vary(dataset=str(data), target_classes=(4, 5), target_samples=24, source_epochs=100)
    with here.worker() as worker:
        run = here.submit("transfer-study/on-demand", replicates=1, experiment=experiment, tuned=False)
        here.wait_for_task(run, "train_A seed 42", "Running", "Completed")
        pid = int(here.flow_run(run)["infrastructure_pid"])
        os.kill(pid, signal.SIGSTOP)  # so that there is something left to do when the server is gone
        assert here.server
        here.stop(here.server)
        assert not here.answers()
        os.kill(pid, signal.SIGCONT)
        here.start_server()
        lease = here.flow_run(run)["state"]["state_details"]["deployment_concurrency_lease_id"]
        renewed = here.ask("POST", f"v2/concurrency_limits/leases/{lease}/renew", {"lease_duration": 300})
        assert renewed.is_success, f"the run will crash when it renews its place: {renewed.text}"
        here.wait_for_state(run, "Completed")
        assert not worker.has_ended


def test_a_killed_flow_process_is_crashed_and_the_next_run_goes_on_from_the_cache(served: Machine) -> None:
    settings = {"replicates": 1, "seed": 60}
    run = served.submit("on-demand", experiment=LONG, **settings)
    os.kill(served.wait_for_training(run, seed=60), signal.SIGKILL)
    assert "-9" in served.wait_for_state(run, "Crashed")["state"]["message"]
    again = served.submit("on-demand", experiment=QUICK, **settings)
    served.wait_for_state(again, "Completed")
    computed = {name for name, state in served.task_states(again).items() if state != "Cached"}
    assert computed == {"train_A seed 60", "transfer_B_on_A seed 60", "evaluate", "report"}


def test_runs_of_killed_workers_are_crashed_when_their_heartbeats_stop(silent: Silent) -> None:
    for run in silent.runs:
        state = silent.machine.wait_for_state(run, "Crashed", patience=10 * SILENCE)["state"]
        assert "No heartbeat" in state["message"]
    with silent.machine.worker():
        for deployment in ("on-demand", "nightly"):  # their places are free
            run = silent.machine.submit(deployment, replicates=1, experiment=QUICK)
            silent.machine.wait_for_state(run, "Completed", "First")
