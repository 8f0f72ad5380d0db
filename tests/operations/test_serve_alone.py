"""`make serve` on a machine of its own: what it finds there, what it makes there, and how it ends."""

import re
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest

from tests.support.machine import machine
from tests.support.runs import LONG, QUICK
from tests.support.services import put_database
from tests.support.terminal import in_terminal

pytestmark = pytest.mark.operations


@pytest.mark.fault(
    "a password that nobody has set", "one is made once, for this user's eyes only; all commands find it"
)
def test_the_password_that_is_made(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        for name in ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING"):
            del here.environment[name]
        here.start_server()
        assert here.server
        kept = here.project / "prefect.toml"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        written = kept.read_text()
        password = written.split('"')[1]
        assert f"Its password: {password}\n" in here.server.said()
        assert here.ask("POST", "flows/filter", {}, None).status_code == 401
        assert here.ask("POST", "flows/filter", {}, tuple(password.split(":"))).status_code == 200
        here.succeed("prefect", "flow", "ls")
        again = here.command("flows.server")
        assert "can't listen" in again.stderr, "it has not come as far as to know its password"
        assert kept.read_text() == written


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        port = int(here.environment["PREFECT_SERVER_API_PORT"])
        with socket.create_server(("127.0.0.1", port)):
            refused = here.command("flows.server")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith(
        f"Prefect's server can't listen at 127.0.0.1:{port} (Address already in use): set "
    )


@pytest.mark.fault(
    "`make serve` in a terminal, by someone who has Prefect profiles", "no question; they stay as they were"
)
def test_profiles(tmp_path: Path) -> None:
    put_database(tmp_path / "prefect")
    profiles = tmp_path / "prefect" / "profiles.toml"
    with machine(tmp_path) as here:
        environment = here.environment | {"PREFECT_API_URL": ""}
        written = f'active = "mine"\n[profiles.mine]\n[profiles.other]\nPREFECT_API_URL = "{here.api}"\n'
        profiles.write_text(written)
        command = [sys.executable, "-m", "flows.serve"]
        status, shown = in_terminal(command, here.project, environment, last="Ctrl-C ends everything.")
        assert status == 0, shown[-3000:]
        assert "How would you like to proceed" not in shown
        assert "Switched to profile" not in shown
        assert "usage data" not in shown
        assert profiles.read_text() == written


def test_ctrl_c_ends_everything_and_leaves_no_run_stuck(tmp_path: Path) -> None:
    with machine(tmp_path) as here:
        serve = here.serve()
        run = here.submit("on-demand", replicates=1, seed=42, experiment=LONG)
        pid = here.wait_for_training(run)
        waiting = here.submit("on-demand", replicates=1, seed=43, experiment=QUICK)
        serve.send(signal.SIGINT)
        assert serve.wait() == 0
        assert not Path(f"/proc/{pid}").exists(), "the run's process is still there"
        assert not here.answers(), "the server still answers"
        # Of this project's code. Prefect's server, on a busy machine, may well say that its database is locked.
        frames = re.findall(rf'^ +File "{here.project}/(.+)', serve.said(), re.MULTILINE)
        assert [frame for frame in frames if not frame.startswith("tasks/orchestration/servers/")] == []
        here.start_server()
        assert here.flow_run(run)["state_name"] == "Cancelled"
        assert here.flow_run(waiting)["state_type"] == "SCHEDULED"
        assert here.post("work_pools/filter", {})[0]["is_paused"] is False
