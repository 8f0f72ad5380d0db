"""Everything that a nightly run needs, on this machine, in one command: `make serve`.

A Prefect server if none is running, the work pool, the deployments of prefect.yaml, the automations and a worker.
Ctrl-C ends all of it. Runs in progress are cancelled: run again, they find in the cache what they had finished.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_API_HOST, PREFECT_SERVER_API_PORT, temporary_settings
from prefect.states import Cancelled, Cancelling

from flows.automations import create_automations, refuse_unknown_parameters
from tasks.storage.roots import ROOT

POOL = "headstart"  # as in prefect.yaml
START_SECONDS = 120
CANCEL_SECONDS = 60  # Prefect itself kills a run's process 30 s after it was asked to end
STOP_SECONDS = 30


def main() -> None:
    """Bring everything up, wait for Ctrl-C (or SIGTERM, or the end of the server or worker), take everything down."""
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell starts what is in its background without
        signal.signal(number, signal.default_int_handler)
    host, port = PREFECT_SERVER_API_HOST.value(), PREFECT_SERVER_API_PORT.value()
    address = PREFECT_API_URL.value() or f"http://{host}:{port}/api"
    os.environ["PREFECT_API_URL"] = address  # for the commands
    try:
        with temporary_settings({PREFECT_API_URL: address}), ExitStack() as stack:
            running = [] if _answers(address) else [stack.enter_context(_server(address))]
            client = stack.enter_context(get_client(sync_client=True))
            _create_pool(client)
            stack.callback(_pause_pool, client, False)
            _run("--no-prompt", "deploy", "--all")
            refuse_unknown_parameters()
            create_automations()
            running.append(stack.enter_context(_command("worker", "start", "--pool", POOL)))
            stack.callback(_cancel_runs, client)
            print(f"\nUI: {address.removesuffix('/api')}\nCtrl-C ends everything.\n", flush=True)
            while all(process.poll() is None for process in running):
                time.sleep(0.5)
            raise RuntimeError("The server or the worker has ended by itself; what it said is above.")
    except KeyboardInterrupt:
        print("Everything has ended.")
    except RuntimeError as error:
        sys.exit(str(error))


def _prefect(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *arguments]


def _run(*arguments: str) -> None:
    """A Prefect command, to its end. Raises RuntimeError, with what it said, if it fails."""
    done = subprocess.run(_prefect(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"`prefect {' '.join(arguments)}` failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _command(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Prefect command in the background, out of reach of the terminal's Ctrl-C: it is ended here, in its turn."""
    process = subprocess.Popen(_prefect(*arguments), cwd=ROOT, start_new_session=True, stdin=subprocess.DEVNULL)
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
def _server(address: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server at `address`. Raises RuntimeError if that is not on this machine, or if the server does not start."""
    url = urlsplit(address)
    if url.hostname not in ("127.0.0.1", "localhost"):
        raise RuntimeError(
            f"No Prefect server answers at {address}: start it, or unset PREFECT_API_URL to have one here."
        )
    with _command("server", "start", "--host", url.hostname, "--port", str(url.port or 80)) as server:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Prefect's server did not start at {address}; what it said is above.")
            time.sleep(0.2)
        yield server


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").is_success
    except httpx.HTTPError:
        return False


def _create_pool(client: SyncPrefectClient) -> None:
    try:
        client.read_work_pool(POOL)
    except ObjectNotFound:
        _run("work-pool", "create", POOL, "--type", "process")
    _pause_pool(client, False)  # where it was killed while ending


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
