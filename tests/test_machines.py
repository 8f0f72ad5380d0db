"""A study on several machines: Dask workers with nothing in common but an S3 endpoint and Prefect on PostgreSQL."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.machines import ObjectStore, object_store, postgres, start_dask, start_worker
from tests.operations import QUICK, Machine, machine, until

pytestmark = pytest.mark.machines

SETTINGS = [f"--experiment.{name.replace('_', '-')}={value}" for name, value in QUICK.items()]
STUDY = ("flows.study", "--replicates", "12", *SETTINGS)
FLOW = ("flows.transfer_learning", "--replicates", "6", *SETTINGS)


@dataclass
class Cluster:
    """`home` starts the flows; the workers have no data and an empty copy of the artifacts."""

    home: Machine
    workers: list[Machine]
    store: ObjectStore
    scheduler: str
    another: Any

    def run(self, *command: str, on: Machine | None = None, fails: bool = False) -> "Done":
        done = (on or self.home).command(*command)
        assert (done.returncode != 0) == fails, done.stderr[-3000:]
        return Done(done.stdout, done.stderr, self)


@dataclass
class Done:
    """What a flow printed, and the run folder that it names, by its file names' contents."""

    stdout: str
    stderr: str
    cluster: Cluster

    @property
    def computed(self) -> set[str]:
        """Names of the task runs that were computed here, not taken from the cache."""
        return set(re.findall(r"Task run '(.+)' - Finished in state Completed", self.stderr))

    def file(self, name: str) -> bytes:
        found = re.search(r"Report: +(\S+)/report.html", self.stdout)
        assert found
        if found[1].startswith("s3://bucket/"):
            return self.cluster.store.read(f"{found[1].removeprefix('s3://bucket/')}/{name}")
        return (Path(found[1]) / name).read_bytes()

    @property
    def results(self) -> tuple[Any, ...]:
        """All numbers: of each pair with digests of its weights, of the study, of each network."""
        metrics = json.loads(self.file("metrics.json"))
        numbers = [metrics[name] for name in ("replicates", "error_reduction", "answer")]
        return *numbers, self.file("runs.csv") if metrics["answer"] and "study" in self.stdout else b""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with ExitStack() as stack:
        store = stack.enter_context(object_store())
        address = stack.enter_context(postgres())

        def another(name: str, **environment: str) -> Machine:
            """A machine that knows where artifacts and Prefect's server are, and has an empty copy of the former."""
            here = stack.enter_context(machine(tmp_path_factory.mktemp(name)))
            here.environment |= store.environment | {
                "HEADSTART_ARTIFACTS": "s3://bucket/headstart",
                "XDG_CACHE_HOME": str(here.folder / "cache"),
            }
            here.environment |= environment
            return here

        home = another("home", PREFECT_SERVER_DATABASE_CONNECTION_URL=address)
        home.start_server()
        known = {"PREFECT_API_URL": home.api}
        workers = [another(f"worker-{n}", **known, HEADSTART_DATA=f"/nowhere/{n}") for n in (1, 2)]
        scheduler = start_dask(home, workers)
        yield Cluster(home, workers, store, scheduler, lambda name, **more: another(name, **(known | more)))


@pytest.fixture(scope="module")
def expected(cluster: Cluster) -> Done:
    """The study on threads and local files."""
    return cluster.run(*STUDY, on=cluster.another("alone", HEADSTART_ARTIFACTS="artifacts"))


@pytest.fixture(scope="module")
def first(cluster: Cluster) -> Done:
    """The study on the cluster."""
    return cluster.run(*STUDY, "--runner", cluster.scheduler)


def test_the_same_numbers_as_on_one_machine(cluster: Cluster, expected: Done, first: Done) -> None:
    assert first.results == expected.results
    assert len(json.loads(first.file("metrics.json"))["replicates"]) == 12
    made = [{p.parent.name for p in w.folder.glob("cache/headstart/*/store/*/*/")} for w in cluster.workers]
    assert all("train_arms" in stages for stages in made)  # both worked
    runs = cluster.home.post("flow_runs/filter", {})
    assert {run["state_name"] for run in runs} == {"Completed"}


def test_again_on_an_empty_machine_all_is_cached(cluster: Cluster, first: Done) -> None:
    again = cluster.run(*STUDY, on=cluster.another("third"))
    assert again.computed == set()
    assert again.results == first.results


def test_refresh_reaches_the_workers(cluster: Cluster) -> None:
    def count() -> int:
        return sum(len(re.findall(r"train_A seed .* epoch 1/1", _log(worker))) for worker in cluster.workers)

    before = count()
    cluster.run(*FLOW, "--runner", cluster.scheduler)  # what the study had made, or six more
    between = count()
    cluster.run(*FLOW, "--runner", cluster.scheduler, "--refresh")
    assert count() == between + 6
    assert between - before in (0, 6)


@pytest.mark.fault("one of two Dask workers killed (SIGKILL) in mid-study", "finished with the same numbers")
def test_a_worker_killed(cluster: Cluster, expected: Done) -> None:
    victim = cluster.workers[0]
    before = _log(victim).count("train_arms")
    process = next(p for p in victim.started if "worker" in p.args)
    study = cluster.home.start(*STUDY, "--runner", cluster.scheduler, "--refresh")
    until(lambda: _log(victim).count("train_arms") > before + 2, 120, "it trains")
    process.kill()
    assert study.wait(300) == 0
    log = (cluster.home.folder / "flows.study---replicates.log").read_text()
    assert Done(log, log, cluster).results == expected.results
    start_worker(victim, cluster.scheduler)


@pytest.mark.fault("the S3 endpoint gone for 10 s in mid-run", "retried, finished with the same numbers")
def test_the_endpoint_away(cluster: Cluster) -> None:
    expected = cluster.run(*FLOW, on=cluster.another("unhurt", HEADSTART_ARTIFACTS="artifacts"))


def _log(machine: Machine) -> str:
    return (machine.folder / "dask-worker.log").read_text()
