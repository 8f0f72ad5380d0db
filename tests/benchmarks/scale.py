"""What mapped calls cost besides their work: `python -m tests.benchmarks.scale [--calls 10000] [--postgres]`.

Calls as small as can be, as task runs of their own and then in chunks, with all that a stage has (record, lock,
artifact, log), on a server and a database of their own. DECISIONS.md has what that comes to for 10,000 replicates.
`--end-to-end 10000` runs those instead, of networks as small as can be, for more than an hour.
"""

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from prefect import flow
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)

from tasks.experiment.settings import Experiment
from tasks.orchestration.chunks import ALONE
from tasks.orchestration.stage import stage
from tasks.orchestration.workers.runners import THREADS, task_runner
from tasks.storage.artifacts import Artifact, save
from tests.benchmarks.parts.processes import measured
from tests.support.machine import Machine, machine
from tests.support.runs import flags
from tests.support.services import postgres
from tests.walkthrough import digits


def tiny(number: int) -> Artifact:
    return save("tiny", lambda folder: (folder / "number.txt").write_text(str(number)) and None)


tiny.__module__ = "tasks.storage.artifacts"  # the cache key wants a module of the project: this is what it runs
tiny_task = stage()(tiny)


@flow(task_runner=task_runner(THREADS))  # type: ignore[arg-type]
def many(count: int) -> int:
    return len({artifact.path for artifact in tiny_task.map(list(range(count))).result()})


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.scale", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000, help="in chunks")
    parser.add_argument("--replicates", type=int, default=12, help="of the real flow, for what one costs; 0: none")
    parser.add_argument("--end-to-end", type=int, metavar="REPLICATES", help="the whole flow, of tiny networks")
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite; needs Debian's package postgresql")
    given = parser.parse_args()
    with ExitStack() as stack:
        here = stack.enter_context(machine(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        if given.postgres:
            port = stack.enter_context(postgres())
            url = f"postgresql+asyncpg://headstart@127.0.0.1:{port}/prefect"
            here.environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = url
        tried: list[Callable[[], dict[str, float]]] = [
            lambda: tiny_calls(here, ALONE, "alone"),
            lambda: tiny_calls(here, given.calls, "in chunks"),
            lambda: real_flow(here, given.replicates) if given.replicates else {},
        ]
        if given.end_to_end:
            tried = [lambda how=how: end_to_end(here, given.end_to_end, how) for how in ("computed", "cached")]
        for measure in tried:
            for name, value in measure().items():
                print(f"{name:70} {value:10.2f}", flush=True)


def tiny_calls(here: Machine, count: int, how: str) -> dict[str, float]:
    """What a call costs that does next to nothing; beyond ALONE they are in chunks."""
    os.environ["HEADSTART_ARTIFACTS"] = f"{here.environment['HEADSTART_ARTIFACTS']}-{count}"
    word = here.environment.get("PREFECT_API_AUTH_STRING")
    settings: Any = {
        PREFECT_API_URL: here.api, PREFECT_API_AUTH_STRING: word, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
    }  # fmt: skip
    with temporary_settings(settings), serving(here) as server:
        many(20)  # what is done once
        size, own, its = database_bytes(here), peak(), resident(server)
        taken = {}
        for name in ("computed", "cached"):
            start = time.perf_counter()
            assert many(count) == count
            taken[name] = time.perf_counter() - start
        own, its = peak() - own, resident(server) - its
    files = [file for file in Path(os.environ["HEADSTART_ARTIFACTS"]).rglob("*") if file.is_file()]
    return {
        f"a tiny call of {count} {how}, computed: ms": taken["computed"] / count * 1e3,
        f"a tiny call {how}, cached: ms": taken["cached"] / count * 1e3,
        f"a tiny call {how}: KiB of database": (database_bytes(here) - size) / count / 2 / 1024,
        f"a tiny call {how}: KiB of memory, flow's process": own / count / 2,
        f"a tiny call {how}: KiB of memory, server": its / count / 2,
        f"a tiny call {how}: files": len(files) / count,
    }


def real_flow(here: Machine, replicates: int) -> dict[str, float]:
    """What a replicate of the flow costs, by the difference between this many and one."""
    here.environment["HEADSTART_ARTIFACTS"] += "-of-flow"
    store = Path(here.environment["HEADSTART_ARTIFACTS"]) / "store"
    seen = []
    with serving(here):
        for count in (1, replicates):
            done = here.command("flows.transfer_learning", "--replicates", str(count), "--refresh")
            assert done.returncode == 0, done.stderr[-2000:]
            run = {"flow_runs": {"id": {"any_": [here.flow_runs()[0]["id"]]}}, "limit": 200}
            costs: Counter[str] = Counter()
            for task in here.post("task_runs/filter", run):
                costs[f"{task['name'].split()[0]}, seconds"] += task["total_run_time"]
            costs["store, KiB"] = sum(file.stat().st_blocks for file in store.rglob("*") if file.is_file()) // 2
            seen.append(costs)
    (one, several), extra = seen, replicates - 1
    return {f"one more replicate of {replicates}: {name}": (several[name] - one[name]) / extra for name in several}


def end_to_end(here: Machine, replicates: int, how: str) -> dict[str, float]:
    """What the whole flow costs with that many replicates of tiny networks; a second time all are cached."""
    tiny = Experiment(
        dataset=str(digits.write_npz(here.folder / "digits.npz")), target_classes=(3, 8), target_samples=20,
        hidden_layers=2, hidden_units=20, source_epochs=1, target_epochs=2, frozen_epochs=1,
    )  # fmt: skip
    command = [sys.executable, "-m", "flows.transfer_learning", "--replicates", str(replicates), *flags(tiny)]
    with serving(here) as server:
        before, cpu = database_bytes(here), os.times()
        taken, own, _ = measured(command, **here.environment)
        after, its = os.times(), resident(server)
    cpu_seconds = after.children_user + after.children_system - cpu.children_user - cpu.children_system
    store = [file.stat() for file in Path(here.environment["HEADSTART_ARTIFACTS"]).rglob("*") if file.is_file()]
    return {
        f"{replicates} replicates, {how}: minutes": taken / 60,
        f"{replicates} replicates, {how}: minutes of CPU": cpu_seconds / 60,
        f"{replicates} replicates, {how}: MiB of memory, flow's process": own,
        f"{replicates} replicates, {how}: MiB of memory, server": its / 1024,
        f"{replicates} replicates, {how}: MiB of database": (database_bytes(here) - before) / 2**20,
        f"{replicates} replicates, {how}: GiB of artifacts, from then on": sum(s.st_blocks for s in store) / 2**21,
        f"{replicates} replicates, {how}: files of artifacts, from then on": len(store),
    }


@contextmanager
def serving(here: Machine) -> Iterator[int]:
    """With a server, whose process id it gives; when it has ended, all is in the database."""
    here.start_server()
    assert here.server
    try:
        yield here.server.pid
    finally:
        here.stop(here.server)


def peak() -> int:
    """KiB, of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resident(pid: int) -> int:
    """KiB, of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def database_bytes(here: Machine) -> int:
    url = here.environment.get("PREFECT_SERVER_DATABASE_CONNECTION_URL")
    if url is None:
        return sum(file.stat().st_size for file in Path(here.environment["PREFECT_HOME"]).glob("prefect.db*"))

    async def ask() -> int:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return int(await connection.fetchval("select pg_database_size('prefect')"))
        finally:
            await connection.close()

    return asyncio.run(ask())


if __name__ == "__main__":
    main()
