"""What the server does by itself: refuse unknown parameters, give up runs that died, tell a webhook what went wrong.

`prefect deploy` sets up none of it: `python -m flows.automations` does, after it.
"""

from datetime import timedelta
from typing import Any, cast, get_args
from uuid import UUID

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import FlowFilter
from prefect.client.schemas.objects import StateType
from prefect.events.actions import CallWebhook, ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture, ResourceSpecification
from prefect.variables import Variable
from pydantic import SecretStr

from tasks.experiment.results.nights import Verdict

FLOWS = ["transfer-learning", "transfer-study"]
VERDICTS = get_args(Verdict.model_fields["name"].annotation)
SILENCE = timedelta(seconds=90)  # three heartbeats of pyproject.toml's [tool.prefect.flows]
WEBHOOK = "headstart_webhook"  # the variable with the webhook's URL
# Slack, Mattermost and others show `text`.
PAYLOAD = """{"text": {{ ("headstart: " ~ flow_run.name ~ " " ~ flow_run.state.name ~ ". "
 ~ (flow_run.state.message or "") ~ " " ~ (flow_run | ui_url)) | tojson }}}"""


def refuse_unknown_parameters() -> None:
    """Close the deployments' parameter schemas: Prefect's own let a misspelt parameter pass, and the run crash."""
    with get_client(sync_client=True) as client:
        flows = FlowFilter.model_validate({"name": {"any_": FLOWS}})
        for deployment in client.read_deployments(flow_filter=flows):
            schema = (deployment.parameter_openapi_schema or {}) | {"additionalProperties": False}
            client.update_deployment(deployment.id, DeploymentUpdate(parameter_openapi_schema=schema))


def create_automations() -> None:
    """Create both automations on the configured server, or bring them up to date.

    Without a URL in the variable `headstart_webhook` there is no notification.
    """
    _replace(
        Automation(
            name="headstart: runs without heartbeats have crashed",
            description="A run whose process or worker is gone becomes Crashed, and its place is free.",
            trigger=_trigger(
                posture=Posture.Proactive,
                after={"prefect.flow-run.Pending", "prefect.flow-run.heartbeat"},
                expect=_events("heartbeat", "Completed", "Failed", "TimedOut", "Crashed", "Cancelled", *VERDICTS),
                within=SILENCE,
            ),
            actions=[
                ChangeFlowRunState(
                    name="Crashed",
                    state=StateType.CRASHED,
                    message=f"No heartbeat for {SILENCE.seconds} s.",
                    force=False,
                )
            ],
        )
    )
    name = "headstart: tell of failed, crashed and regressed runs"
    if url := Variable.get(WEBHOOK):
        block = cast(UUID, Webhook(url=SecretStr(str(url))).save("headstart", overwrite=True))
        _replace(
            Automation(
                name=name,
                description=f"Calls the webhook that the variable {WEBHOOK} names.",
                trigger=_trigger(
                    posture=Posture.Reactive,
                    expect=_events("Failed", "TimedOut", "Crashed", "Regressed"),
                    within=timedelta(0),
                ),
                actions=[CallWebhook(block_document_id=block, payload=PAYLOAD)],
            )
        )
    else:
        _delete(name)


def _events(*names: str) -> set[str]:
    return {f"prefect.flow-run.{name}" for name in names}


def _trigger(**options: Any) -> EventTrigger:
    """For each run of this project's flows by itself."""
    return EventTrigger(
        match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
        match_related=ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": FLOWS}),
        for_each={"prefect.resource.id"},
        threshold=1,
        **options,
    )


def _replace(automation: Automation) -> None:
    """Create it, or update the one of this name if it differs: an update makes triggers forget whom they wait for."""
    try:
        there = cast(Automation, Automation.read(name=automation.name))
    except ValueError:
        automation.create()
        return
    automation.id = there.id
    if any(getattr(automation, part) != getattr(there, part) for part in ("trigger", "actions", "enabled")):
        automation.update()


def _delete(name: str) -> None:
    try:
        cast(Automation, Automation.read(name=name)).delete()
    except ValueError:
        return


if __name__ == "__main__":
    refuse_unknown_parameters()
    create_automations()
