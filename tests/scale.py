"""What a mapped task costs besides its work: `python -m tests.scale [--tasks 2000] [--postgres]`.

Tasks as small as can be, with all that a stage has (record, lock, artifact, log), on a server and a database of their
own. DECISIONS.md has what that comes to for 10,000 replicates.
"""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from tasks.experiment.store import Artifact, save
from tasks.runners import CORES, THREADS, task_runner
from tasks.stage import stage
from tests.machines import postgres
from tests.operations import Machine, machine


def tiny(number: int) -> Artifact:
    return save("tiny", lambda folder: (folder / "number.txt").write_text(str(number)) and None)


tiny.__module__ = "tasks.experiment.store"  # the cache key wants a module of the project: this is what it runs
tiny_task = stage()(tiny)


@flow(task_runner=task_runner(THREADS))  # type: ignore[arg-type]
def many(count: int) -> int:
    return len({artifact.path for artifact in tiny_task.map(list(range(count))).result()})


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.scale", description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite; needs Debian's package postgresql")
    given = parser.parse_args()
    with ExitStack() as stack:
        here = stack.enter_context(machine(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        database = None
        if given.postgres:
            port = stack.enter_context(postgres())
            database = f"postgresql://headstart@127.0.0.1:{port}/prefect"
            here.environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database.replace("://", "+asyncpg://")
        for name, value in measure(here, database, given.tasks).items():
            print(f"{name:60} {value:10.2f}")


def measure(here: Machine, database: str | None, count: int) -> dict[str, float]:
    """Figures by name, all of them for one task."""
    os.environ["HEADSTART_ARTIFACTS"] = here.environment["HEADSTART_ARTIFACTS"]
    here.start_server()
    assert here.server
    settings: Any = {PREFECT_API_URL: here.api, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with temporary_settings(settings):
        many(20)  # what is done once
        size, memory, server = database_bytes(here, database), peak(), resident(here.server.pid)
        taken = {}
        for name in ("computed", "cached"):
            start = time.perf_counter()
            assert many(count) == count
            taken[name] = time.perf_counter() - start
    grown = resident(here.server.pid) - server
    here.stop(here.server)
    files = [file for file in Path(os.environ["HEADSTART_ARTIFACTS"]).rglob("*") if file.is_file()]
    return {
        f"ms a task, computed ({count} tasks, {CORES} threads)": taken["computed"] / count * 1e3,
        "ms a task, cached": taken["cached"] / count * 1e3,
        "KiB of database a task run": (database_bytes(here, database) - size) / count / 2 / 1024,
        "KiB of memory a task run, flow's process": (peak() - memory) / count / 2,
        "KiB of memory a task run, server": grown / count / 2,
        "files in the artifacts folder a task": len(files) / count,
        "KiB of disk in the artifacts folder a task": sum(file.stat().st_blocks for file in files) / 2 / count,
    }


def peak() -> int:
    """KiB, of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resident(pid: int) -> int:
    """KiB, of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def database_bytes(here: Machine, database: str | None) -> int:
    if database is None:
        return sum(file.stat().st_size for file in Path(here.environment["PREFECT_HOME"]).glob("prefect.db*"))

    async def ask() -> int:
        import asyncpg

        connection = await asyncpg.connect(database)
        try:
            return int(await connection.fetchval("select pg_database_size('prefect')"))
        finally:
            await connection.close()

    return asyncio.run(ask())


if __name__ == "__main__":
    main()
