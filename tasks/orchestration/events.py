"""Prefect's events, from which alone a server learns how tasks go: none is lost where a connection is cut."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from prefect.events.clients import PrefectEventsClient


def send_and_confirm_in_turn() -> None:
    """From now on, in this process, one task at a time uses a client's connection, or makes a new one.

    Prefect 3.8 sends events in one task, and in another it asks every 30 s whether they came. Where the connection was
    cut (a server does so if a run is suspended for 40 s) each of the two makes a new one. Both at once spoil each
    other's: states of tasks are lost, and what is left of it fails with tracebacks, also after the run's answer.
    """
    for name in ("_emit", "_reconnect", "_force_checkpoint"):
        setattr(PrefectEventsClient, name, _in_turn(getattr(PrefectEventsClient, name)))


def _in_turn(method: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(method)
    async def called(client: Any, *args: Any) -> None:
        ours = vars(client)
        if ours.get("_whose_turn") is asyncio.current_task():  # to send may be to connect, and that is to send again
            return await method(client, *args)
        async with ours.setdefault("_turn", asyncio.Lock()):
            ours["_whose_turn"] = asyncio.current_task()
            try:
                await method(client, *args)
            finally:
                ours["_whose_turn"] = None

    return called
