"""A Prefect API for a run that was started without one.

Prefect's own temporary server makes the flow's process import the whole server too, and wait. This one is a process of
its own that starts while TensorFlow is imported here. It writes to the same database as `prefect server start`, so that
the run is seen there later. It ends with this process, even if that is killed: its standard input closes then.
"""

import atexit
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

START_SECONDS = 120


@contextmanager
def prefect_api() -> Iterator[None]:
    """Have a Prefect API: the configured one (PREFECT_API_URL or profile), else a server until this process ends.

    Raises RuntimeError if the server does not start.
    """
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_HOME, temporary_settings

    if PREFECT_API_URL.value():
        yield
        return
    PREFECT_HOME.value().mkdir(parents=True, exist_ok=True)  # the server dies without it
    command = [sys.executable, "-m", "tasks.orchestration.own_server"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # At exit, not at the end of the block: Prefect sends its last logs at exit, and what is registered first runs last.
    atexit.register(server.communicate)
    assert server.stdout
    address = f"http://127.0.0.1:{server.stdout.readline().strip()}/api"
    wait_until_healthy(address)
    # Heartbeats tell a server's automations that a run is alive; this server has none, and they cost a second.
    with temporary_settings({PREFECT_API_URL: address, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def wait_until_healthy(address: str) -> None:
    """Wait for the server's first answer: its socket listens from the start, and answers when the API is ready.

    Raises RuntimeError if it ends before, or after START_SECONDS.
    """
    import httpx

    try:
        httpx.get(f"{address}/health", timeout=START_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        raise RuntimeError(
            f"Prefect's server did not start ({error}): start one with `prefect server start`, "
            "set PREFECT_API_URL to its address, and run again"
        ) from error


def serve() -> None:
    """Serve the API on a free loopback port, whose number is printed first, until standard input closes."""
    import os
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    os.environ |= {
        "PREFECT_UI_ENABLED": "0",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "0",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
    }
    import uvicorn
    from prefect.server.api.server import create_app

    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="error", lifespan="on", timeout_graceful_shutdown=5))

    def end_with_parent() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_parent, daemon=True).start()
    server.run(sockets=[listener])


if __name__ == "__main__":
    serve()
