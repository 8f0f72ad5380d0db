"""Everything that a nightly run needs, on this machine, in one command: `make serve`.

A Prefect server (flows/server.py) if none is running, the work pool, the deployments of prefect.yaml, the automations
and a worker. Ctrl-C ends all of it. Runs in progress are cancelled: run again, they find in the cache what they had
finished.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Cancelling

from flows.automations import create_automations
from flows.deployments import POOL, deploy
from flows.server import password
from tasks.orchestration.servers.guarded_server import LOOPBACK
from tasks.orchestration.servers.own_server import accepts_us, default_address
from tasks.orchestration.terminal.command import command_parser
from tasks.storage.roots import ROOT

# Deadlines for what hangs, however busy the machine.
START_SECONDS = 600
ANSWER_SECONDS = 60
CANCEL_SECONDS = 300  # Prefect itself kills a run's process 30 s after it was asked to end
STOP_SECONDS = 120


def main() -> None:
    """Bring everything up, wait for Ctrl-C (or SIGTERM, or the end of the server or worker), take everything down."""
    command_parser("flows.serve", __doc__).parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell starts what is in its background without
        signal.signal(number, signal.default_int_handler)
    address, word = PREFECT_API_URL.value() or default_address(), password()
    os.environ |= {"PREFECT_API_URL": address, "PREFECT_API_AUTH_STRING": word}  # for the commands
    try:
        with temporary_settings({PREFECT_API_URL: address, PREFECT_API_AUTH_STRING: word}), ExitStack() as stack:
            running = [] if _answers(address) else [stack.enter_context(_server(address, word))]
            _check_access(address)
            client = stack.enter_context(get_client(sync_client=True))
            deploy(client)
            stack.callback(_pause_pool, client, False)
            create_automations()
            running.append(stack.enter_context(_command("prefect", "worker", "start", "--pool", POOL)))
            stack.callback(_cancel_runs, client)
            print(f"\nUI: {address.removesuffix('/api')}\nIts password: {word}\nCtrl-C ends everything.\n", flush=True)
            while all(process.poll() is None for process in running):
                time.sleep(0.5)
            raise RuntimeError("The server or the worker has ended by itself; what it said is above.")
    except KeyboardInterrupt:
        print("Everything has ended.")
    except RuntimeError as error:
        sys.exit(str(error))


@contextmanager
def _command(*module: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m module` in the background, out of reach of the terminal's Ctrl-C: it is ended here, in its turn."""
    command = [sys.executable, "-m", *module]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _server(address: str, word: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server at `address`. Raises RuntimeError if that is not on this machine, or if the server does not start."""
    url = urlsplit(address)
    if url.hostname not in LOOPBACK:
        raise RuntimeError(
            f"No Prefect server answers at {address}: start it, or unset PREFECT_API_URL to have one here."
        )
    settings = {
        "PREFECT_SERVER_API_HOST": url.hostname,
        "PREFECT_SERVER_API_PORT": str(url.port or 80),
        "PREFECT_SERVER_API_AUTH_STRING": word,
    }
    with _command("flows.server", env=os.environ | settings, stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Prefect's server did not start at {address}; what it said is above.")
            time.sleep(0.2)
        yield server


def _check_access(address: str) -> None:
    """Raises RuntimeError if the server there does not take the password, or takes any web page without one."""
    foreign_page = {"Origin": "http://elsewhere.invalid"}
    if httpx.post(f"{address}/flows/count", json={}, headers=foreign_page, timeout=START_SECONDS).is_success:
        raise RuntimeError(
            f"The Prefect server at {address} obeys every web page: end it, and run again to have one that does not."
        )
    if not accepts_us(address):
        raise RuntimeError(
            f"The Prefect server at {address} has another version or password: end it, and run again, "
            "or give its password by PREFECT_API_AUTH_STRING."
        )


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=ANSWER_SECONDS).is_success
    except httpx.HTTPError:
        return False


def _pause_pool(client: SyncPrefectClient, paused: bool) -> None:
    client.update_work_pool(POOL, WorkPoolUpdate(is_paused=paused))


def _cancel_runs(client: SyncPrefectClient) -> None:
    """Cancel what runs in the pool and wait until it has ended, so that no run is left as Running for ever."""
    _pause_pool(client, True)  # else the worker would start the next one in line
    deadline = time.monotonic() + CANCEL_SECONDS
    while runs := _live_runs(client):
        for run in runs:
            if time.monotonic() > deadline:
                client.set_flow_run_state(run.id, Cancelled(message="Did not end when asked to."), force=True)
            elif run.state_type != StateType.CANCELLING:
                print(f"Cancelling {run.name}, which can take half a minute …", flush=True)
                client.set_flow_run_state(run.id, Cancelling())
        time.sleep(0.5)


def _live_runs(client: SyncPrefectClient) -> list[FlowRun]:
    live = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}})
    pool = WorkPoolFilter.model_validate({"name": {"any_": [POOL]}})
    return client.read_flow_runs(flow_run_filter=live, work_pool_filter=pool)


if __name__ == "__main__":
    main()
