"""A Prefect API for a run: the server that answers already, or one of the run's own.

Prefect's own temporary server makes the flow's process import the whole server too, and wait. This one is a process of
its own that starts while TensorFlow is imported here. It writes to the same database as `make serve`, so that the run
is seen there later, and does nothing else with what is there: no automations, no schedules, no cleaning. It ends with
this process, even if that is killed: its standard input closes then.
"""

import atexit
import os
import secrets
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 600  # a deadline for one that hangs, however busy the machine
ANSWER_SECONDS = 60  # for a server that is there and busy
LOG, LOG_BYTES = "headstart-server.log", 1_000_000  # in Prefect's home; begun anew when it is larger
ONLY_RECORD = {
    "PREFECT__SERVER_EPHEMERAL": "1",  # no schedules, no late runs, no UI
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "0",  # automations: one of them takes runs without heartbeats for dead
    "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "0",
    "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "0",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "0",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "orphans",  # which such a server leaves alone
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "0",  # nothing is made of blocks here, and to find them all takes seconds
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "0",
}


@contextmanager
def prefect_api() -> Iterator[None]:
    """Have a Prefect API: the configured one (PREFECT_API_URL or profile), the one that `make serve` has, else our own.

    Raises RuntimeError if our own does not start.
    """
    from prefect.settings import (
        PREFECT_API_AUTH_STRING,
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_UI_URL,
        temporary_settings,
    )

    if PREFECT_API_URL.value():
        yield
    elif accepts_us(default := default_address()):
        with temporary_settings({PREFECT_API_URL: default}):
            yield
    else:
        print("Starting Prefect's server for this run …", file=sys.stderr, flush=True)
        password = f"headstart:{secrets.token_urlsafe(16)}"  # else other users of this machine could use it
        address = start(password)
        # Heartbeats tell a server's automations that a run is alive; this server has none, and they cost a second.
        ours = {PREFECT_API_URL: address, PREFECT_API_AUTH_STRING: password, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
        with temporary_settings(ours | {PREFECT_UI_URL: ""}):  # there is none to link to
            yield


def default_address() -> str:
    """Where this machine's server is, if PREFECT_API_URL does not say otherwise."""
    from prefect.settings import PREFECT_SERVER_API_HOST, PREFECT_SERVER_API_PORT

    return f"http://{PREFECT_SERVER_API_HOST.value()}:{PREFECT_SERVER_API_PORT.value()}/api"


def accepts_us(address: str) -> bool:
    """Whether a Prefect server of this version answers there, and takes the configured password."""
    import httpx
    import prefect
    from prefect.settings import PREFECT_API_AUTH_STRING

    word = str(PREFECT_API_AUTH_STRING.value() or "")
    password = {"Authorization": f"Basic {b64encode(word.encode()).decode()}"}
    try:
        answer = httpx.get(f"{address}/admin/version", headers=password, timeout=ANSWER_SECONDS)
        return answer.is_success and bool(answer.json() == prefect.__version__)
    except (httpx.HTTPError, ValueError):
        return False
    except OSError as error:
        raise RuntimeError(
            f"no certificates can be read ({error.strerror}): unset SSL_CERT_FILE, or set it to a file of certificates"
        ) from error


def start(password: str) -> str:
    """Start our own server, which ends with this process, and wait for its first answer: its address.

    Raises RuntimeError, with where it said why, if it does not start.
    """
    from prefect.settings import PREFECT_HOME

    home = PREFECT_HOME.value()
    try:
        home.mkdir(parents=True, exist_ok=True)  # the server dies without it
    except OSError as error:
        raise RuntimeError(
            f"its folder {home} can't be made ({error.strerror}): set PREFECT_HOME to one that can be written to"
        ) from error
    said = home / LOG
    with said.open("ab" if said.exists() and said.stat().st_size < LOG_BYTES else "wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            encoding="utf-8", env=os.environ | {"PREFECT_SERVER_API_AUTH_STRING": password},
            start_new_session=True,  # Ctrl-C is for the run, which then still has something to tell the server
        )  # fmt: skip
    # At exit, not at the end of the block: Prefect sends its last logs at exit, and what is registered first runs last.
    atexit.register(server.communicate)
    assert server.stdout
    address = f"http://127.0.0.1:{server.stdout.readline().strip()}/api"
    wait_until_healthy(address, said)
    return address


def wait_until_healthy(address: str, said: Path) -> None:
    """Wait for the server's first answer: its socket listens from the start, and answers when the API is ready.

    Raises RuntimeError if it ends before, or after START_SECONDS.
    """
    import httpx

    try:
        httpx.get(f"{address}/health", timeout=START_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        raise RuntimeError(
            f"Prefect's server did not start ({error}; {said} says why): run `make serve` in another terminal, "
            "and run again"
        ) from error


def main() -> None:
    """Serve the API on a free loopback port, whose number is printed first, until standard input closes."""
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody reads more of it
    os.environ |= ONLY_RECORD
    from tasks.orchestration.servers.guarded_server import serve

    serve(listener, "127.0.0.1", sys.stdin.read, log_level="error", timeout_graceful_shutdown=5)


if __name__ == "__main__":
    main()
