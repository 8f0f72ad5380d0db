"""What of this project a Prefect server can start: the work pool, and the deployments of prefect.yaml.

`python -m flows.deployments` sets both up on the configured server, or brings them up to date. It is Prefect's
`deploy`, and what that leaves out: schedules that somebody changed on the server stay as they are, and a misspelt
parameter is refused.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.filters import FlowFilter
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.orchestration.servers.own_server import accepts_us, default_address
from tasks.orchestration.terminal.command import command_parser
from tasks.storage.roots import ROOT

FLOWS = ["transfer-learning", "transfer-study", "transfer-recommend"]
POOL = "headstart"  # as in prefect.yaml
TEMPLATE = ROOT / "flows" / "work_pool.json"  # what a run may set: nothing
WHAT_AND_WHEN = {"schedule", "active", "max_scheduled_runs", "parameters", "slug"}  # of a schedule


def main() -> None:
    """Set all of it up on the configured server, or the one that `make serve` has."""
    command_parser("flows.deployments", __doc__).parse_args()
    with answering_server(), get_client(sync_client=True) as client:
        try:
            deploy(client)
        except RuntimeError as error:
            sys.exit(str(error))


@contextmanager
def answering_server() -> Iterator[None]:
    """Use the configured server, or the one that `make serve` has. Exits with one sentence if it does not answer."""
    address = PREFECT_API_URL.value() or default_address()
    if not accepts_us(address):
        sys.exit(
            f"No Prefect server at {address} has this version and the configured password: start `make serve` in "
            "another terminal, or set PREFECT_API_URL and PREFECT_API_AUTH_STRING."
        )
    with temporary_settings({PREFECT_API_URL: address}):
        yield


def deploy(client: SyncPrefectClient) -> None:
    """Bring pool and deployments up to date. Raises RuntimeError, with what Prefect said, if it can't."""
    pool = WorkPoolCreate(name=POOL, type="process", base_job_template=json.loads(TEMPLATE.read_text(encoding="utf-8")))
    client.create_work_pool(pool, overwrite=True)  # and not paused, as it is if `make serve` was killed while ending
    before = {each.id: each.schedules for each in _deployments(client)}
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        raise RuntimeError(f"`prefect --no-prompt deploy --all` failed:\n{done.stdout}{done.stderr}")
    for deployment in _deployments(client):
        if _keep_schedules(client, deployment.id, before.get(deployment.id, deployment.schedules)):
            print(
                f"The schedules of {deployment.name} are not those of prefect.yaml, and stay as they are on the "
                "server. To have prefect.yaml's, delete the deployment in the UI, and run this again."
            )
        _refuse_unknown_parameters(client, deployment)


def _deployments(client: SyncPrefectClient) -> list[DeploymentResponse]:
    return client.read_deployments(flow_filter=FlowFilter.model_validate({"name": {"any_": FLOWS}}))


def _keep_schedules(client: SyncPrefectClient, deployment: UUID, before: list[DeploymentSchedule]) -> bool:
    """Put back the schedules that a deployment had before, unless it has them still: `prefect deploy` replaces all."""
    now = client.read_deployment_schedules(deployment)
    if sorted(map(_what_and_when, now)) == sorted(map(_what_and_when, before)):
        return False
    for schedule in now:
        client.delete_deployment_schedule(deployment, schedule.id)
    if before:
        fields = (schedule.model_dump(include=WHAT_AND_WHEN) for schedule in before)
        client.create_deployment_schedules(deployment, [DeploymentScheduleCreate(**each) for each in fields])
    return True


def _what_and_when(schedule: DeploymentSchedule) -> str:
    return schedule.model_dump_json(include=WHAT_AND_WHEN)


def _refuse_unknown_parameters(client: SyncPrefectClient, deployment: DeploymentResponse) -> None:
    """Close the deployment's parameter schema: Prefect's own lets a misspelt parameter pass, and the run crash."""
    schema = (deployment.parameter_openapi_schema or {}) | {"additionalProperties": False}
    client.update_deployment(deployment.id, DeploymentUpdate(parameter_openapi_schema=schema))


if __name__ == "__main__":
    main()
