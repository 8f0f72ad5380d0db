"""Prefect's server, closed to web pages: a page in the user's browser is an attacker.

By itself Prefect's API answers every page that calls it, and whoever may create runs may run code. Here a browser is
answered only under the server's own names (another name that resolves to this machine is DNS rebinding), and only for
the server's own pages. Programs, such as Prefect's command line and its workers, send no Origin.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

LOOPBACK = ("127.0.0.1", "localhost")


class OwnPagesOnly:
    """ASGI middleware: refuses what other pages send, by HTTP or WebSocket, and to be shown in a frame of theirs."""

    def __init__(self, app: Any, origins: list[str]) -> None:
        self.app, self.origins = app, origins

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from starlette.datastructures import Headers, MutableHeaders
        from starlette.responses import PlainTextResponse

        async def send_unframed(message: Any) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = "frame-ancestors 'none'"
            await send(message)

        origin = Headers(scope=scope).get("origin") if scope["type"] != "lifespan" else None
        if origin is None or origin in self.origins:
            await self.app(scope, receive, send_unframed)
        else:
            await PlainTextResponse("This server answers its own pages only.", 403)(scope, receive, send)


def serve(listener: socket.socket, host: str, ended: Callable[[], Any] | None = None, **options: Any) -> None:
    """Serve Prefect's API on `listener` to those who call it `host`, until a signal, or until `ended` returns.

    `options` are uvicorn's.
    """
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import (
        PREFECT_SERVER_CORS_ALLOWED_ORIGINS,
        PREFECT_UI_API_URL,
        PREFECT_UI_URL,
        temporary_settings,
    )
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    names = LOOPBACK if host in LOOPBACK else (host,)
    origins = [f"http://{name}:{listener.getsockname()[1]}" for name in names]
    here = {
        PREFECT_SERVER_CORS_ALLOWED_ORIGINS: ",".join(origins),  # pages of localhost call 127.0.0.1
        PREFECT_UI_API_URL: f"{origins[0]}/api",
        PREFECT_UI_URL: origins[0],
    }
    with temporary_settings(here):
        app = TrustedHostMiddleware(create_app(final=True), names, www_redirect=False)
        server = uvicorn.Server(uvicorn.Config(OwnPagesOnly(app, origins), lifespan="on", **options))

        def end() -> None:
            assert ended
            ended()
            server.should_exit = True

        if ended:
            threading.Thread(target=end, daemon=True).start()
        with suppress(KeyboardInterrupt):  # uvicorn raises it again once all has ended
            server.run(sockets=[listener])
