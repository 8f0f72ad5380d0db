"""What the server does by itself: give up runs that died, and tell a webhook what went wrong."""

import sys
from datetime import timedelta
from getpass import getpass
from typing import Any, cast
from urllib.parse import urlsplit

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import BlockDocument, StateType
from prefect.events.actions import CallWebhook, ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture, ResourceSpecification
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable
from pydantic import SecretStr

from flows.deployments import FLOWS, answering_server
from tasks.orchestration.terminal.command import command_parser

SILENCE = timedelta(seconds=90)  # three heartbeats of pyproject.toml's [tool.prefect.flows]
WEBHOOK = "headstart"  # the Webhook block with the address
OLD_WEBHOOK = "headstart_webhook"  # the variable that had it before, for everyone to read
BAD = ("Failed", "TimedOut", "Crashed")  # ends of a run that the webhook is told of
PAUSE = timedelta(minutes=5)  # a run is told of once, however many states, or retries of Prefect's, its end takes
# Slack, Mattermost and others show `text`.
PAYLOAD = """{"text": {{ ("headstart: " ~ flow_run.name ~ " " ~ flow_run.state.name ~ ". "
 ~ (flow_run.state.message or "") ~ " " ~ (flow_run | ui_url)) | tojson }}}"""


def main() -> None:
    """Set all of it up on the configured server, or the one that `make serve` has."""
    parser = command_parser("flows.automations", __doc__)
    parser.add_argument(
        "--webhook", action="store_true", help="ask for the address to be told what went wrong; none, if it is empty"
    )
    given = parser.parse_args()
    with answering_server():
        if given.webhook:
            set_webhook(getpass("Webhook: ") if sys.stdin.isatty() else sys.stdin.readline())
        create_automations()


def set_webhook(address: str) -> None:
    """Keep the webhook's address, a secret, where Prefect shows it to nobody who does not ask for secrets.

    Exits with one sentence if it is no address.
    """
    address = address.strip()
    if not address:
        if block := _webhook():
            with get_client(sync_client=True) as client:
                client.delete_block_document(block.id)
    elif urlsplit(address).scheme in ("http", "https") and urlsplit(address).hostname:
        Webhook(url=SecretStr(address)).save(WEBHOOK, overwrite=True)
    else:
        sys.exit("That is not a webhook's address: give one that starts with https:// or http://")


def create_automations() -> None:
    """Create both automations on the configured server, or bring them up to date.

    Without the webhook's address there is no notification.
    """
    _replace(
        Automation(
            name="headstart: runs without heartbeats have crashed",
            description="A run whose process or worker is gone becomes Crashed, and its place is free.",
            trigger=_trigger(
                posture=Posture.Proactive,
                after={"prefect.flow-run.Pending", "prefect.flow-run.heartbeat"},
                # Bad ends are left to the other automation: Prefect evaluates an event for all automations again, up to
                # four times, if SQLite was locked for one of them. A run that has ended can't become Crashed anyway.
                expect=_events("heartbeat", "Completed", "Cancelled"),
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
    if old := Variable.get(OLD_WEBHOOK):
        set_webhook(str(old))
        Variable.unset(OLD_WEBHOOK)
    name = "headstart: tell of failed, crashed and regressed runs"
    if block := _webhook():
        _replace(
            Automation(
                name=name,
                description=f"Calls the webhook of the block {WEBHOOK}, once a run and {PAUSE.seconds // 60} minutes.",
                trigger=_trigger(
                    posture=Posture.Reactive,
                    expect=_events(*BAD),
                    within=PAUSE,
                ),
                actions=[CallWebhook(block_document_id=block.id, payload=PAYLOAD)],
            )
        )
    else:
        _delete(name)


def _webhook() -> BlockDocument | None:
    with get_client(sync_client=True) as client:
        try:
            return client.read_block_document_by_name(WEBHOOK, "webhook")
        except ObjectNotFound:
            return None


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
    main()
