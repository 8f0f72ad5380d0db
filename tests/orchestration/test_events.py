"""What Prefect's server learns of a run whose connection was cut."""

import asyncio
import json

import pytest
from prefect.events import Event
from prefect.events.clients import PrefectEventsClient
from prefect.settings import PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED, temporary_settings
from websockets.asyncio.server import Request, Response, ServerConnection, serve

import tasks.orchestration.stage  # noqa: F401 (from then on they take turns)
from tests.support.processes import PATIENCE


async def sent_while_reconnecting() -> list[list[str]]:
    """The events that come by each connection: the first is cut, and while Prefect confirms, another is sent."""
    came: list[list[str]] = []
    all_came = asyncio.Event()
    sending: list[asyncio.Task[None]] = []

    def send(name: str) -> asyncio.Task[None]:
        return asyncio.create_task(client.emit(Event(event=name, resource={"prefect.resource.id": "any"})))

    async def accept(connection: ServerConnection, request: Request) -> Response | None:
        if len(sending) == 1:
            sending.append(send("second"))
            await asyncio.sleep(0)  # it has begun: without a turn of its own it makes another connection
        return None

    async def answer(connection: ServerConnection) -> None:
        events: list[str] = []
        came.append(events)
        await connection.recv()  # the password
        await connection.send(json.dumps({"type": "auth_success"}))
        async for message in connection:
            events.append(json.loads(message)["event"])
            if len(came) == 1:
                return connection.transport.abort()
            if events[-1] == "second":
                all_came.set()

    async with asyncio.timeout(PATIENCE), serve(answer, "127.0.0.1", 0, process_request=accept) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with PrefectEventsClient(f"http://127.0.0.1:{port}") as client:
            sending.append(send("first"))
            assert client._websocket
            await client._websocket.wait_closed()
            client._checkpoint_interval = 0
            client._start_checkpoint_task()
            await all_came.wait()
            await asyncio.gather(*sending)
    return came


@pytest.mark.fault(
    "a run that is suspended until the server cuts its connection, and sends a task's state just when it is made anew",
    "one new connection; the server learns both what came last and what is new, in their order",
)
def test_events_while_the_connection_is_made_anew() -> None:
    with temporary_settings({PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False}):
        assert asyncio.run(sent_while_reconnecting()) == [["first"], ["first", "second"]]
