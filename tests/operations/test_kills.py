"""Killed in every way: the run's last state is right, its place is free, the next run goes on from the cache.

And what is only silent, but alive, is left alone.
"""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support import signals
from tests.support.machine import PATIENT, Machine, machine
from tests.support.own_servers import assert_nothing_after_the_answer, elsewhere, new_run, start
from tests.support.processes import Process, until
from tests.support.runs import LONG, QUICK
from tests.support.services import webhook

pytestmark = pytest.mark.operations
WINDOW, HEARTBEAT = 90.0, 30.0  # seconds, a promise in real time
ENDLESS = LONG.vary(batch_size=1)  # many minutes


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which nobody waits for heartbeats yet: those of a run that is stopped come when they may."""
    with machine(tmp_path_factory.mktemp("here")) as here:
        # By default five, in about a minute: in which a busy machine might not have started the server again.
        here.environment["PREFECT_CLIENT_MAX_RETRIES"] = "10"
        here.start_server()
        here.succeed("flows.deployments")
        yield here


def test_a_run_and_its_worker_go_on_while_the_server_restarts(here: Machine) -> None:
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


def test_a_killed_flow_process_is_crashed_and_the_next_run_goes_on_from_the_cache(here: Machine) -> None:
    settings = {"replicates": 1, "seed": 60}
    with here.worker():
        run = here.submit("on-demand", experiment=LONG, **settings)
        os.kill(here.wait_for_training(run, seed=60), signal.SIGKILL)
        assert "-9" in here.wait_for_state(run, "Crashed")["state"]["message"]
        again = here.submit("on-demand", experiment=QUICK, **settings)
        here.wait_for_state(again, "Completed")
    computed = {name for name, state in here.task_states(again).items() if state != "Cached"}
    assert computed == {"train_A seed 60", "transfer_B_on_A seed 60", "evaluate", "report"}


@dataclass
class Silent:
    """What says nothing any more."""

    dead: list[str]  # runs of which nothing is left, nor of their workers
    alive: dict[str, Process]  # runs with servers of their own, by seed, stopped since `since`
    since: float
    told: list[str]  # what a webhook was told meanwhile


@pytest.fixture(scope="module")
def silent(here: Machine) -> Iterator[Silent]:
    """One worker was asked to end while busy, one was killed together with its run; then two runs were stopped.

    The automation is set up when the workers' runs are under way: a slow machine's first heartbeat may be late.
    """
    with webhook() as (url, told):
        with here.worker("--limit", "1") as asked:
            first = here.submit("on-demand", replicates=1, experiment=ENDLESS)
            here.wait_for_training(first)
            with here.worker() as killed:
                second = here.submit("nightly", replicates=1, experiment=ENDLESS)
                pid = here.wait_for_training(second)
                too_many = here.submit("nightly", replicates=1)
                here.wait_for_state(too_many, "Cancelled")
                file, promised, patient = PATIENT
                here.edit(file, patient, promised)
                here.succeed("flows.automations", "--webhook", stdin=url)
                for run in (first, second):
                    until(lambda run=run: here.is_waited_for(run), "its heartbeats are waited for", asked, killed)
                asked.send(signal.SIGTERM)
                assert asked.wait() == 0
                killed.send(signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
        alive = {}
        for seed in ("11", "12"):  # the second one when the first one is stopped: it might end meanwhile
            alive[seed] = start(here, seed, elsewhere(here))
            here.wait_for_state(new_run(here, seed, alive[seed])["id"], "Running")
            alive[seed].send(signal.SIGSTOP)
        yield Silent([first, second], alive, time.monotonic(), told)


def test_runs_that_died_with_their_workers_are_crashed_when_their_heartbeats_stop(
    here: Machine, silent: Silent
) -> None:
    """Not before: until then each stays as Running."""
    for run in silent.dead:
        here.wait_for_state(run, "Crashed", patience=10 * (WINDOW + HEARTBEAT))
        *_, before, last = here.get(f"flow_run_states/?flow_run_id={run}")
        assert (before["name"], "No heartbeat" in last["message"]) == ("Running", True)
    with here.worker():
        for deployment in ("on-demand", "nightly"):  # their places are free
            here.wait_for_state(here.submit(deployment, replicates=1, experiment=ENDLESS), "Running")


@pytest.mark.fault(
    "two runs with servers of their own beside `make serve` on one database, each silent for longer than it waits",
    "both are Completed, the webhook is not called, nothing is said after the answer; both are seen in the UI",
)
def test_beside_make_serve(here: Machine, silent: Silent) -> None:
    """A promise in real time, and the fault itself."""
    time.sleep(max(0.0, silent.since + WINDOW + 15 - time.monotonic()))
    for seed, process in silent.alive.items():
        assert new_run(here, seed, process)["state_type"] == "RUNNING"
        process.send(signal.SIGCONT)
    for seed, process in silent.alive.items():
        assert process.wait() == 0, process.said()[-3000:]
        assert_nothing_after_the_answer(process.said())
        run = here.wait_for_state(new_run(here, seed, process)["id"], "Completed")
        states = here.get(f"flow_run_states/?flow_run_id={run['id']}")
        assert [state["type"] for state in states] == ["PENDING", "RUNNING", "COMPLETED"]
        assert set(here.task_states(run["id"]).values()) <= {"Completed", "Cached"}
        assert not [text for text in silent.told if run["name"] in text]
