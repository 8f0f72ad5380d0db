"""Prefect's server gone, its database locked, its records of another version, and a clock that was set back."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from tasks.storage.roots import ROOT
from tests.faults.checks import assert_nothing_lost, kept, sockets
from tests.support.processes import PATIENCE, until
from tests.support.runs import QUICK, Lives, flags, run_experiment
from tests.support.services import Server
from tests.support.services import server as own_server


@pytest.fixture(scope="module")
def kept_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with own_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(kept_server: Server) -> Server:
    """That one, running: what an earlier test killed is started again."""
    if not kept_server.answers():
        kept_server.start()
    return kept_server


@pytest.mark.slow
@pytest.mark.fault(
    "the server's SQLite database locked by another program for five seconds", "the run waits, and finishes"
)
def test_locked_database(
    server: Server, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], tmp_path: Path
) -> None:
    with sqlite3.connect(server.home / "prefect.db", PATIENCE, isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        life = lives.start(tmp_path, {"HEADSTART_ARTIFACTS": artifacts_copy}, api=server.api)
        until(lambda: sockets(server.port, "connected"), "the run asks the server", life)
        time.sleep(5)  # the fault itself
        assert not life.out.with_suffix(".json").exists()
        database.execute("ROLLBACK")
    database.close()
    assert life.end() == 0
    assert life.metrics == baseline[1]


@pytest.mark.slow
@pytest.mark.fault("Prefect's server killed in mid-run, and started again", "the run finishes, metrics as before")
def test_server_gone_and_back(server: Server, lives: Lives, baseline: tuple[Path, dict], tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    life = lives.start(
        tmp_path, {"HEADSTART_ARTIFACTS": artifacts}, api=server.api, freeze_at="open w .*/artifact/pixels.npz"
    )
    until(lambda: life.state == "T", "the run has stopped in mid-way", life)
    server.kill()
    os.kill(life.pid, signal.SIGCONT)
    server.start()
    assert life.end() == 0
    assert life.metrics == baseline[1]
    assert kept(artifacts) == kept(baseline[0])


@pytest.mark.slow
@pytest.mark.fault(
    "Prefect's server killed in mid-run, for good", "nothing that was computed is lost: a re-run trains nothing"
)
def test_server_gone_for_good(
    server: Server, lives: Lives, baseline: tuple[Path, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = tmp_path / "artifacts"
    life = lives.start(
        tmp_path, {"HEADSTART_ARTIFACTS": artifacts}, api=server.api, impatient=True,
        freeze_at="open w .*/artifact/pixels.npz",
    )  # fmt: skip
    until(lambda: life.state == "T", "the run has stopped in mid-way", life)
    server.kill()
    os.kill(life.pid, signal.SIGCONT)
    assert life.end() != 0
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
    metrics, states = run_experiment()
    assert metrics == baseline[1]
    assert set(states.values()) == {"Cached"}


@pytest.mark.slow
@pytest.mark.fault("a Prefect server that {what}", "one sentence says so, before any work, with exit code 1")
@pytest.mark.parametrize("what", ["is not there", "wants a password"])
def test_unusable_server(what: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    api = request.getfixturevalue("locked_server").api if "password" in what else "http://127.0.0.1:1/api"
    environment = {"PREFECT_API_URL": api, "HEADSTART_ARTIFACTS": str(tmp_path / "artifacts")}
    done = subprocess.run(
        [sys.executable, "-m", "flows.transfer_learning"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | environment | {"PREFECT_CLIENT_MAX_RETRIES": "0"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Prefect's server can't be used: ")
    assert ("401" if "password" in what else "1/api") in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.fault("cache records that Prefect 2.20.0 and 99.0.0 wrote", "read, or made again; metrics as before")
@pytest.mark.slow
def test_other_prefect(artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    for stage, version in (("evaluate", "2.20.0"), ("split", "99.0.0")):
        for record in artifacts_copy.glob(f"cache/{stage}-*"):
            written = json.loads(record.read_text())
            written["metadata"]["prefect_version"] = version
            record.write_text(json.dumps(written))
    assert_nothing_lost(artifacts_copy, baseline)


@pytest.mark.fault("the clock set back by a year: every file is newer than now", "the cache holds: nothing runs again")
def test_files_of_the_future(artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    future = time.time() + 365 * 24 * 3600
    for path in artifacts_copy.rglob("*"):
        os.utime(path, (future, future), follow_symlinks=False)
    metrics, states = run_experiment()
    assert metrics == baseline[1]
    assert set(states.values()) == {"Cached"}


@pytest.mark.slow
@pytest.mark.fault(
    "a run whose clock is a year behind (libfaketime), the server's is not", "the cache holds; it finishes"
)
def test_clock_set_back(artifacts_copy: Path, baseline: tuple[Path, dict]) -> None:
    libraries = [
        *Path("/usr/lib").glob("*/faketime/libfaketime.so.1"),
        *Path("/usr/lib/faketime").glob("libfaketime.so.1"),
    ]
    if not libraries:
        pytest.skip("the Debian package libfaketime is not installed")
    environment = {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": "-365d",
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
    }
    done = subprocess.run(
        [sys.executable, "-m", "flows.transfer_learning", "--replicates", "2", *flags(QUICK)],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert re.findall("Task run .* - Finished in state Completed", done.stderr) == []  # all are Cached
    assert baseline[1]["answer"] in done.stdout
