"""What the tests of faults look at afterwards."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.runs import Lives, run_experiment

DAMAGES = ["truncated", "emptied", "bit-flipped", "deleted", "replaced by a folder", "unreadable"]
SMALL = "t10k-labels-idx1-ubyte"  # the smallest file of the data set


def assert_latest_is_whole(artifacts: Path) -> None:
    """`latest` is there, and has all the files that a run folder has."""
    latest = (artifacts / "latest").resolve(strict=True)
    names = {str(file.relative_to(latest)) for file in latest.rglob("*") if file.is_file()}
    assert {"metrics.json", "report.html", "report.md", "plots/pairs.png", "models/B_on_A.keras"} <= names
    assert [name for name in names if not (latest / name).stat().st_size] == []


def kept(artifacts: Path) -> set[str]:
    """All that is in the artifacts folder, but run folders and Prefect's notes of failures (named by a hash only)."""
    paths = {str(path.relative_to(artifacts)) for path in artifacts.rglob("*")}
    return {path for path in paths if not re.match(r"runs/|cache/[0-9a-f]{32}$", path)}


def assert_whole(artifacts: Path, baseline: tuple[Path, dict]) -> None:
    """What is there is what an undisturbed run leaves."""
    assert_latest_is_whole(artifacts)
    assert kept(artifacts) == kept(baseline[0])
    assert [folder for folder in (artifacts / "runs").glob("*/") if len(list(folder.iterdir())) <= 3] == []


def assert_nothing_lost(artifacts: Path, baseline: tuple[Path, dict]) -> dict[str, str]:
    """An undisturbed run gives the metrics that it would have given, and leaves what it would have left: its states."""
    assert_latest_is_whole(artifacts)
    metrics, states = run_experiment()
    assert metrics == baseline[1]
    assert_whole(artifacts, baseline)
    return states


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    match how:
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "emptied":
            path.write_bytes(b"")
        case "bit-flipped":
            path.write_bytes(content)
        case "deleted":
            path.unlink()
        case "replaced by a folder":
            path.unlink()
            path.mkdir()
        case "unreadable":
            path.chmod(0)


def assert_heals(lives: Lives, artifacts: Path, baseline: tuple[Path, dict], **environment: Path) -> list[str]:
    """By a run without root's capabilities, to which permissions mean nothing: the names of what it computed."""
    life = lives.start(artifacts.parent, {"HEADSTART_ARTIFACTS": artifacts} | environment)
    assert life.end() == 0
    assert life.metrics == baseline[1]
    assert_whole(artifacts, baseline)
    return life.computed


def computed_stages(states: dict[str, str]) -> list[str]:
    """The stages of the task runs that were not taken from the cache."""
    return [name.split()[0] for name, state in states.items() if state != "Cached"]


def sockets(port: int, state: str) -> set[str]:
    """Local addresses, in hexadecimal, of the sockets with this local port that are "connected" or "listening"."""
    code = {"connected": "01", "listening": "0A"}[state]
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == code}


@contextmanager
def fifo(path: Path) -> Iterator[Callable[[], bool]]:
    """A FIFO, and whether anyone has read it: whoever did got something, and so did not wait for ever."""
    was_read: list[bool] = []
    ended: list[bool] = []
    kept = path.parent / f"{path.name} as it is"  # the reader may move or remove the other name

    def feed() -> None:
        while not ended:
            with suppress(BrokenPipeError), kept.open("wb", buffering=0) as stream:
                if not ended:
                    was_read.append(True)
                stream.write(b"something")

    os.mkfifo(kept)
    os.link(kept, path)
    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield lambda: bool(was_read)
    finally:
        ended.append(True)
        reading = os.open(kept, os.O_RDONLY | os.O_NONBLOCK)
        thread.join()
        os.close(reading)
        kept.unlink()
