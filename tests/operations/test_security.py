"""docs/trust.md, section Security: what a process, the network and a run can do. Pages: test_web_pages.py."""

import json
import socket
import ssl
from contextlib import suppress
from typing import Any

import httpx
import psutil
import pytest

from tasks.orchestration.workers.runners import CORES
from tests.support.machine import Machine
from tests.support.processes import PATIENCE, until
from tests.support.runs import LONG, QUICK, flags

pytestmark = pytest.mark.operations
ADDRESS = "https://hooks.example.com/services/secret"  # of a webhook; it is never called


@pytest.mark.fault("another user of this machine, without the password", "nothing is read, nothing is changed")
def test_another_user(served: Machine) -> None:
    flow, before = served.deployment("on-demand")["flow_id"], served.runs_asked_for()
    secrets = "block_documents/filter", {"include_secrets": True}
    for path, body in (("flows/filter", {}), ("flow_runs/", {"flow_id": flow}), ("variables/filter", {}), secrets):
        for password in (None, ("me", "wrong"), ("wrong", "secret")):
            assert (path, served.ask("POST", path, body, password).status_code) == (path, 401)
    assert served.runs_asked_for() == before


@pytest.mark.fault(
    "someone on the network", "nothing that `make serve` starts listens but on this machine's own address"
)
def test_the_network(served: Machine) -> None:
    run = served.submit("on-demand", replicates=1, experiment=LONG)
    served.wait_for_state(run, "Running")
    listening = addresses(served.started[0].pid)
    served.post(f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})
    served.wait_for_state(run, "Cancelled")
    assert int(served.environment["PREFECT_SERVER_API_PORT"]) in {address.port for address in listening}
    assert {address.ip for address in listening} == {"127.0.0.1"}


@pytest.mark.fault(
    "what `--runner dask` starts, asked by others", "it listens on loopback, tells nothing, and obeys nobody"
)
def test_dask(served: Machine) -> None:
    run = served.start("flows.transfer_learning", "--replicates", "2", "--runner", "dask", *flags(LONG))
    found = until(lambda: dask_addresses(run.pid), "Dask's processes listen", run)
    assert {address.ip for address in found} == {"127.0.0.1"}
    pages = [address.port for address in found if has_pages(address.port)]
    assert len(pages) == 1 + CORES  # of the scheduler and of each worker
    for port in pages:
        for path in ("health", "metrics", "json/counts.json", "info/main/workers.html", "status"):
            assert httpx.get(f"http://127.0.0.1:{port}/{path}", timeout=PATIENCE).status_code == 404, path
    for address in found:
        assert address.port in pages or wants_certificate(address.port)
    served.stop(run)


def has_pages(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=PATIENCE).status_code > 0
    except httpx.TransportError:
        return False


def wants_certificate(port: int) -> bool:
    """Whether what listens there speaks TLS, and ends the conversation with who has no certificate."""
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        try:
            with anyone.wrap_socket(connection) as speaking:
                speaking.recv(1)
        except ssl.SSLError as refused:
            return "CERTIFICATE_REQUIRED" in str(refused) or "HANDSHAKE_FAILURE" in str(refused)
    return False


def addresses(pid: int) -> set[Any]:
    """Where a process and all that it has started listen."""
    process = psutil.Process(pid)
    found = set()
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            found |= {c.laddr for c in each.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN}
    return found


def dask_addresses(pid: int) -> set[Any]:
    """The same, once the scheduler, its page, and of each worker keeper, worker and page are among them."""
    found = addresses(pid)
    return found if len(found) == 2 + 3 * CORES else set()


VARIABLES: dict[str, Any] = {
    "command": "touch taken", "env": {"PYTHONSTARTUP": "taken"}, "env.PATH": "/taken", "working_dir": "/",
    "image": "taken", "stream_output": False, "name": "taken", "labels": {"taken": "yes"},
}  # fmt: skip


@pytest.mark.fault("a run that brings its own {variable}", "it is refused by name, by REST and at a change")
@pytest.mark.parametrize("variable", VARIABLES)
def test_a_run_chooses_nothing(served: Machine, variable: str) -> None:
    given = {"job_variables": {variable: VARIABLES[variable]}}
    deployment = served.deployment("on-demand")["id"]
    later = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2999-01-01T00:00:00Z"}}}
    run = served.post(f"deployments/{deployment}/create_flow_run", later)["id"]
    before = served.runs_asked_for()
    create = "POST", f"deployments/{deployment}/create_flow_run"
    for method, path in (create, ("PATCH", f"flow_runs/{run}")):
        refused = served.ask(method, path, given)
        assert (path, refused.status_code) == (path, 422)
        assert variable in refused.text
    assert served.runs_asked_for() == before
    assert served.ask("DELETE", f"flow_runs/{run}", None).status_code == 204


@pytest.mark.fault("a run that brings all of these, by command line", "they are refused by name")
def test_a_run_chooses_nothing_by_command_line(served: Machine) -> None:
    before = served.runs_asked_for()
    words = [word for name, value in VARIABLES.items() for word in ("-jv", f"{name}={json.dumps(value)}")]
    refused = served.command("prefect", "deployment", "run", "transfer-learning/on-demand", *words)
    said = refused.stdout + refused.stderr
    assert (refused.returncode, [name for name in VARIABLES if name not in said]) == (1, []), said
    assert served.runs_asked_for() == before


@pytest.mark.fault("a run that is put into the pool past its deployment, with its own command, environment and folder",
                   "they are ignored")  # fmt: skip
def test_a_run_past_the_deployment(served: Machine) -> None:
    deployment = served.deployment("on-demand")
    taken = served.folder / "taken"
    own = {"command": f"touch {taken}", "env": {"HEADSTART_ARTIFACTS": str(taken)}, "working_dir": "/"}
    run = served.post("flow_runs/", {
        "flow_id": deployment["flow_id"], "deployment_id": deployment["id"], "work_pool_name": "headstart",
        "state": {"type": "SCHEDULED"}, "job_variables": own,
        "parameters": {"replicates": 1, "experiment": QUICK.model_dump(mode="json", exclude_defaults=True)},
    })  # fmt: skip
    served.wait_for_state(run["id"], "Completed")
    assert not taken.exists()
    assert list((served.folder / "artifacts" / "runs").glob(f"*{run['id'][:8]}"))


@pytest.mark.fault(
    "the webhook's address, looked for everywhere in the API", "it is masked, unless secrets are asked for"
)
def test_the_webhook_is_a_secret(served: Machine) -> None:
    set_up = served.command("flows.automations", "--webhook", stdin=f"{ADDRESS}\n")
    assert (set_up.returncode, ADDRESS in set_up.stdout + set_up.stderr) == (0, False)
    told = [served.post(f"{what}/filter", {}) for what in ("variables", "automations", "block_documents", "events")]
    told.append(served.get("admin/settings"))
    assert ADDRESS not in json.dumps(told)
    assert len(told[1]) == 2
    with_secrets = served.post("block_documents/filter", {"include_secrets": True})
    assert ADDRESS in json.dumps(with_secrets)
    for wrong in ("hooks.example.com/secret", "ftp://hooks.example.com/secret", "https:///secret"):
        refused = served.command("flows.automations", "--webhook", stdin=f"{wrong}\n")
        assert (refused.returncode, refused.stderr) == (
            1,
            "That is not a webhook's address: give one that starts with https:// or http://\n",
        )
    served.succeed("flows.automations", "--webhook", stdin="\n")
    assert len(served.post("automations/filter", {})) == 1
    assert ADDRESS not in json.dumps(served.post("block_documents/filter", {"include_secrets": True}))


def test_the_variable_that_once_had_the_address_is_emptied(served: Machine) -> None:
    served.succeed("prefect", "variable", "set", "headstart_webhook", ADDRESS)
    served.succeed("flows.automations")
    assert served.post("variables/filter", {}) == []
    assert ADDRESS in json.dumps(served.post("block_documents/filter", {"include_secrets": True}))
    assert len(served.post("automations/filter", {})) == 2
    served.succeed("flows.automations", "--webhook", stdin="\n")
