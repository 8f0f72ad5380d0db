"""The benchmark's part of several machines: one Dask worker against two, Dask against threads, S3 against files."""

import os
import statistics
import sys
import tempfile
from pathlib import Path

from tasks.storage.artifacts import Artifact, save
from tests.benchmarks.rows import Row, seconds
from tests.support.machine import Machine, machine
from tests.support.processes import free_port
from tests.support.services import object_store

PAIRS, MANY_PAIRS, ARTIFACTS = 12, 29, 30


def machines() -> list[Row]:
    return [*dask(), *artifacts()]


def dask() -> list[Row]:
    """Seconds that runs take to train, on a server of their own. Scheduler and workers are there before.

    One worker against two: each has a core of its own, as if it were a machine of one core. (Where there are two, one
    worker's XLA uses both, and a second worker can add little.)
    """
    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as home:
        (home.project / ".venv").symlink_to(sys.prefix)
        home.start_server()
        address = f"tcp://127.0.0.1:{free_port()}"
        home.shell(f".venv/bin/python -m dask scheduler --host 127.0.0.1 --port {address.rpartition(':')[2]}")
        worker_line = f".venv/bin/python -m dask worker {address} --nworkers 1 --nthreads 1"
        taken = {}
        for workers in (1, 2):
            worker = home.shell(f"taskset -c {workers - 1} {worker_line}")
            run(home, address, 2 * workers, "--seed 1000 --refresh")  # so that each has compiled its programs
            assert "train_A" in worker.said()
            taken[workers] = training(home, address, PAIRS)
        threads, processes = training(home, "threads", MANY_PAIRS), training(home, "dask", MANY_PAIRS)
    one = Row(f"{PAIRS} pairs, one Dask worker, one core", taken[1])
    by_threads = Row(f"{MANY_PAIRS} pairs, threads", threads)
    return [
        one,
        Row(f"{PAIRS} pairs, two Dask workers, a core each", taken[2], "times faster", one, goal=1.7),
        by_threads,
        Row(f"{MANY_PAIRS} pairs, a Dask process a core", processes, "share of its time", by_threads, goal=1.25),
    ]


def training(home: Machine, where: str, pairs: int) -> float:
    """Seconds of a run that computes all anew, less those of one that finds all in the cache: its start-up."""
    anew = run(home, where, pairs, "--refresh")
    run(home, where, pairs)  # the report of a run that is no night is another one
    return anew - run(home, where, pairs)


def run(home: Machine, where: str, pairs: int, flags: str = "") -> float:
    line = f".venv/bin/python -m flows.transfer_learning --runner {where} --replicates {pairs} {flags}"

    def to_its_end() -> None:
        command = home.shell(line)
        if command.wait():
            raise RuntimeError(f"{line} failed:\n{command.said()[-2000:]}")

    return seconds(to_its_end)


def artifacts() -> list[Row]:
    """Milliseconds to keep a model of A (0.4 MB), and to have it on another machine; the S3 endpoint is on loopback."""
    with tempfile.TemporaryDirectory() as folder, object_store() as store:
        os.environ |= store.environment
        kept, had = keep_and_read(f"{folder}/artifacts", folder)
        kept_on_s3, had_from_s3 = keep_and_read("s3://bucket/bench", folder)
    in_folder, from_folder = Row("an artifact kept, in a folder", kept), Row("an artifact read, from a folder", had)
    return [
        in_folder,
        Row("an artifact kept, on S3 too", kept_on_s3, "times slower", in_folder),
        from_folder,
        Row("an artifact read, from S3", had_from_s3, "times slower", from_folder),
    ]


def keep_and_read(place: str, folder: str) -> tuple[float, float]:
    """Median seconds to keep an artifact at `place`, and to have it on another machine."""
    made: list[Artifact] = []

    def keep() -> None:
        content = os.urandom(400_000)
        made.append(save("bench", lambda to: (to / "model.keras").write_bytes(content) and None))

    os.environ |= {"HEADSTART_ARTIFACTS": place, "XDG_CACHE_HOME": f"{folder}/here"}
    kept = statistics.median(seconds(keep) for _ in range(ARTIFACTS))
    os.environ["XDG_CACHE_HOME"] = f"{folder}/there"
    return kept, statistics.median(seconds(artifact.folder) for artifact in made)
