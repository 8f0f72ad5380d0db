"""docs/machines.md, command by command: what is set up as it says, and what that promises.

The workers have nothing in common but an S3 endpoint and Prefect's server on a PostgreSQL: they are started in
different folders, with no data, and with empty copies of the artifacts.
"""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasks.storage.roots import ROOT
from tests.support.machine import Machine, machine
from tests.support.processes import Process, free_port, until
from tests.support.runs import LONG, QUICK, flags
from tests.support.services import ObjectStore, object_store, postgres

pytestmark = pytest.mark.machines
PAIRS = 4  # enough for two workers to have something to do when one of them dies


@dataclass
class Cluster:
    """`home` has server and scheduler; `another` makes a machine that is set up like the workers."""

    line: Callable[[str], str]  # the page's command that has these words, with the addresses of here
    home: Machine
    workers: list["Worker"]
    another: Callable[[str], Machine]
    store: ObjectStore

    def run(self, line: str, on: Machine | None = None) -> "Done":
        return self.ended((on or self.home).shell(line))

    def ended(self, run: Process) -> "Done":
        assert run.wait() == 0, run.said()[-3000:]
        return Done(run.said(), self.store)

    def trained(self) -> int:
        """How many networks of A the workers have trained."""
        said = (worker.process.said() for worker in self.workers)
        return sum(len(re.findall("'train_A seed .+ Finished in state Completed", log)) for log in said)


@dataclass
class Worker:
    """One of Dask's, and the machine that it is on."""

    machine: Machine
    process: Process

    def wait_until_registered(self) -> None:
        until(lambda: "Registered to" in self.process.said(), "the worker has joined", self.process)


@dataclass
class Done:
    """A run that has completed: what it said, and what it left."""

    said: str
    store: ObjectStore

    @property
    def computed(self) -> set[str]:
        """Names of the task runs that were computed here, not taken from the cache."""
        return set(re.findall(r"Task run '(.+)' - Finished in state Completed", self.said))

    def file(self, name: str) -> bytes:
        found = re.search(r"^Report: +(\S+)/report.html$", self.said, re.MULTILINE)
        assert found
        if found[1].startswith("s3://bucket/"):
            return self.store.read(f"{found[1].removeprefix('s3://bucket/')}/{name}")
        return (Path(found[1]) / name).read_bytes()

    @property
    def results(self) -> tuple[Any, ...]:
        """All numbers, the weights' digests among them."""
        metrics = json.loads(self.file("metrics.json"))
        is_study = "runs.csv" in self.said
        return metrics["replicates"], metrics["error_reduction"], self.file("runs.csv") if is_study else None


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with ExitStack() as stack:
        store, database = stack.enter_context(object_store()), stack.enter_context(postgres())
        home = stack.enter_context(machine(tmp_path_factory.mktemp("home")))
        ports = {
            "4200": home.environment["PREFECT_SERVER_API_PORT"],
            "8786": free_port(),
            "9000": store.port,
            "5432": database,
        }
        section = (ROOT / "docs" / "machines.md").read_text()
        section = re.sub("|".join(ports), lambda port: str(ports[port[0]]), section)
        exported = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^    export (.+)", section, re.MULTILINE))))
        of_server = {name: exported.pop(name) for name in list(exported) if name.startswith("PREFECT_SERVER_")}

        def line(words: str) -> str:
            (found,) = [found for found in re.findall(r"\.venv/bin/[^`\n]+", section) if words in found]
            return found

        def settle(here: Machine, **environment: str) -> Machine:
            (here.project / ".venv").symlink_to(sys.prefix)
            here.environment |= {"HOME": str(here.folder)} | exported | environment
            here.environment.pop("XDG_CACHE_HOME", None)
            return here

        def another(name: str) -> Machine:
            here = stack.enter_context(machine(tmp_path_factory.mktemp(name)))
            return settle(here, HEADSTART_DATA=str(here.folder / "data"))

        settle(home, **of_server)
        server = home.shell(line("flows.server"))
        until(home.answers, "the server answers", server)
        home.shell(line("dask scheduler"))
        machines = [another("worker") for _ in range(2)]
        workers = [Worker(machine, machine.shell(line("dask worker"))) for machine in machines]
        for worker in workers:
            worker.wait_until_registered()
        yield Cluster(line, home, workers, another, store)


def small(line: str) -> str:
    """The same command with few pairs and epochs, and nothing tuned."""
    few = line.replace("--replicates 12", f"--replicates {PAIRS}")
    assert few != line
    return " ".join([few, *flags(QUICK), *(["--tuned false"] if "flows.study" in line else [])])


@pytest.fixture(scope="module")
def study(cluster: Cluster) -> Done:
    return cluster.run(small(cluster.line("flows.study")))


@pytest.fixture(scope="module")
def study_alone(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The study of the same pairs, on threads and local files."""
    line = small(cluster.line("flows.study").partition("--runner")[0])
    with machine(tmp_path_factory.mktemp("alone")) as alone:
        (alone.project / ".venv").symlink_to(sys.prefix)
        alone.environment["PREFECT_API_URL"] = cluster.home.environment["PREFECT_API_URL"]
        return cluster.run(line, on=alone)


def test_a_study_on_two_workers_gives_the_numbers_of_one_machine(
    cluster: Cluster, study: Done, study_alone: Done
) -> None:
    assert study.results == study_alone.results
    assert len(study.results[0]) == PAIRS
    worked = [{f.name for f in w.machine.folder.glob(".cache/headstart/*/store/*")} for w in cluster.workers]
    assert all({"train_A", "train_arms"} <= stages for stages in worked), f"what each worker trained: {worked}"


def test_again_from_an_empty_machine_all_is_cached(cluster: Cluster, study: Done) -> None:
    again = cluster.run(small(cluster.line("flows.study").partition("--runner")[0]), on=cluster.another("third"))
    assert again.computed == set()
    assert again.results == study.results


@pytest.mark.fault("one of two Dask workers killed (SIGKILL) in mid-study", "finished, with the same numbers")
def test_a_killed_worker(cluster: Cluster, study: Done) -> None:
    victim, before = cluster.workers[0], cluster.trained()
    again = cluster.home.shell(small(cluster.line("flows.study")) + " --refresh")
    until(lambda: cluster.trained() > before + 1, "the study is under way", again)
    victim.process.kill()
    assert cluster.ended(again).results == study.results
    cluster.workers[0] = Worker(victim.machine, victim.machine.shell(cluster.line("dask worker")))
    cluster.workers[0].wait_until_registered()


@pytest.mark.fault("the S3 endpoint gone for 10 s in mid-run", "tried again until it is back; the same numbers")
def test_the_endpoint_goes_away(cluster: Cluster) -> None:
    line = small(cluster.line("flows.transfer_learning"))
    expected, before = cluster.run(line), cluster.trained()
    assert cluster.store.read("headstart/latest").split(b"-", 2)[2].startswith(b"200-samples-seeds-42-45-")
    again = cluster.home.shell(line + " --refresh")
    until(lambda: cluster.trained() > before, "the run is under way", again)
    cluster.store.stop()
    time.sleep(10)  # the fault itself
    cluster.store.start()
    assert cluster.ended(again).results == expected.results
    assert cluster.trained() == before + PAIRS


def test_two_workers_share_a_queue(cluster: Cluster) -> None:
    """The first one trains; what is submitted then the second one takes, with its own folder, on the cluster."""
    machines = [cluster.another("queue"), cluster.another("queue")]
    machines[1].environment["HEADSTART_RUNNER"] = cluster.line("dask worker").split()[4]
    cluster.run(".venv/bin/python -m flows.deployments", on=machines[0])
    home, first = cluster.home, machines[0].shell(cluster.line("worker start"))
    long = home.submit("on-demand", replicates=1, experiment=LONG.vary(batch_size=1))  # hours
    home.wait_for_state(long, "Running")
    second = machines[1].shell(cluster.line("worker start"))
    short = home.submit("transfer-study/on-demand", replicates=1, experiment=QUICK, tuned=False)
    home.wait_for_state(short, "Completed")
    still = home.flow_run(long)
    os.kill(int(still["infrastructure_pid"]), signal.SIGKILL)
    assert still["state_name"] == "Running"
    assert (long in first.said(), short in first.said()) == (True, False)
    assert (long in second.said(), short in second.said()) == (False, True)
    assert "Connecting to an existing Dask cluster" in second.said()


@pytest.mark.fault("a Dask worker that has other {what}", "a sentence names it, before anything is trained")
@pytest.mark.parametrize(("what", "says"), [("artifacts", "its HEADSTART_ARTIFACTS is"), ("code", "its tasks.")])
def test_a_strange_worker(cluster: Cluster, what: str, says: str) -> None:
    stranger = cluster.another("stranger")
    if what == "code":
        stranger.edit("tasks/experiment/networks/program.py", "w - r * g", "w - 2 * r * g")
    else:
        stranger.environment["HEADSTART_ARTIFACTS"] = "s3://bucket/elsewhere"
    worker = Worker(stranger, stranger.shell(cluster.line("dask worker")))
    worker.wait_until_registered()
    try:
        refused = cluster.home.shell(cluster.line("flows.transfer_learning"))
        assert refused.wait() == 1
    finally:
        worker.process.kill()
    assert "is not like this machine: " + says in refused.said().splitlines()[-1]
    assert "train_A" not in refused.said()
    assert "Traceback" not in refused.said()


@pytest.mark.fault("a runner that is {runner}", "a sentence says what to give")
@pytest.mark.parametrize("runner", ["nonsense", "tcp://127.0.0.1:9"])
def test_no_cluster(cluster: Cluster, runner: str) -> None:
    refused = cluster.home.shell(f".venv/bin/python -m flows.transfer_learning --runner {runner}")
    assert refused.wait() == 1
    assert "such as tcp://127.0.0.1:8786, or dask, or threads" in refused.said().splitlines()[-1]
    assert "Traceback" not in refused.said()
