"""Prefect's server and its UI, with a password and closed to web pages: `python -m flows.server`.

`make serve` starts it too. It listens where Prefect's settings say: PREFECT_SERVER_API_HOST (127.0.0.1, or the name by
which machines of a trusted network call this one) and PREFECT_SERVER_API_PORT (4200).
"""

import secrets
import socket
import sys

from prefect.settings import (
    PREFECT_SERVER_API_AUTH_STRING,
    PREFECT_SERVER_API_HOST,
    PREFECT_SERVER_API_KEEPALIVE_TIMEOUT,
    PREFECT_SERVER_API_PORT,
    PREFECT_SERVER_LOGGING_LEVEL,
    temporary_settings,
)

from tasks.orchestration.servers.guarded_server import serve
from tasks.orchestration.terminal.command import command_parser
from tasks.storage.roots import ROOT

KEPT = """\
# Written by `make serve`: the password of Prefect's server. Prefect's commands read it here, in the project's folder.
[api]
auth_string = "{0}"
[server.api]
auth_string = "{0}"
"""


def main() -> None:
    """Serve until Ctrl-C (or SIGTERM)."""
    command_parser("flows.server", __doc__).parse_args()
    host, port = PREFECT_SERVER_API_HOST.value(), PREFECT_SERVER_API_PORT.value()
    word = password()
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        sys.exit(f"Prefect's server can't listen at {host}:{port} ({why}): set PREFECT_SERVER_API_PORT.")
    print(f"UI: http://{host}:{port}\nIts password: {word}\nCtrl-C ends it.\n", flush=True)
    with temporary_settings({PREFECT_SERVER_API_AUTH_STRING: word}):
        serve(
            listener,
            host,
            log_level=PREFECT_SERVER_LOGGING_LEVEL.value().lower(),
            timeout_keep_alive=PREFECT_SERVER_API_KEEPALIVE_TIMEOUT.value(),
        )


def password() -> str:
    """The configured password of Prefect's server; without one, a new one that is kept in prefect.toml.

    Its form is `name:word`. Only this user can read the file.
    """
    if configured := PREFECT_SERVER_API_AUTH_STRING.value():
        return str(configured)
    file, new = ROOT / "prefect.toml", f"headstart:{secrets.token_urlsafe(16)}"
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        sys.exit(f"{file} has no password for Prefect's server: give `auth_string` in [api] and [server.api].")
    file.write_text(KEPT.format(new), encoding="utf-8")
    return new


if __name__ == "__main__":
    main()
