"""What runs lean on, on loopback: Prefect's server, an S3 endpoint that can go away, a PostgreSQL."""

import http.server
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from tasks.storage.roots import ROOT
from tests.support.processes import PATIENCE, Process, free_port, until

# One for all that is asked: a client by itself takes 30 ms to read certificates. No connection outlasts its request.
HTTP = httpx.Client(timeout=PATIENCE, limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
Settle = Callable[[str], None]  # be on the machine of this name from now on


class ObjectStore:
    """An S3 endpoint with a bucket. What it holds outlasts stop() and start()."""

    def __init__(self) -> None:
        import boto3

        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self.port = free_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self.start()
        self.s3 = boto3.client(
            "s3", endpoint_url=self.environment["AWS_ENDPOINT_URL"], region_name="us-east-1",
            aws_access_key_id="testing", aws_secret_access_key="testing",
        )  # fmt: skip
        self.s3.create_bucket(Bucket="bucket")

    def start(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
        from werkzeug.serving import make_server

        app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", self.port, app, threaded=True, request_handler=MotoRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Connections are refused from now on."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket="bucket", Key=key)["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket="bucket", Key=key, Body=content)

    def copy(self, prefix: str, to: str) -> None:
        for key in self.keys(f"{prefix}/"):
            self.write(key.replace(prefix, to, 1), self.read(key))

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket="bucket", Key=key)


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    import s3fs

    store = ObjectStore()
    try:
        yield store
    finally:
        store.stop()
        s3fs.S3FileSystem.clear_instance_cache()  # the next one has another port


@contextmanager
def postgres() -> Iterator[int]:
    """A PostgreSQL of Debian's packages, with the user headstart and the empty database prefect: its port."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        as_user: list[str] = []
        if os.geteuid() == 0:  # as whom it refuses to run
            shutil.chown(folder, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]

        def run(program: str, *arguments: str, check: bool = True) -> bool:
            command = [*as_user, programs / program, *arguments]
            return not subprocess.run(command, cwd=folder, check=check, capture_output=True).returncode

        data = ["-D", f"{folder}/data"]
        run("initdb", *data, "-U", "headstart", "-A", "trust")
        settings = ["-p", str(port), "-k", name, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        server = Process([*as_user, programs / "postgres", *data, *settings], folder / "log", folder=folder)
        there = ["-h", "127.0.0.1", "-p", str(port), "-U", "headstart"]
        try:
            until(lambda: run("pg_isready", *there, check=False), "PostgreSQL is up", server, saw=server.said)
            run("createdb", *there, "prefect")
            yield port
        finally:
            run("pg_ctl", *data, "stop", "-m", "immediate", check=False)
            server.wait()


def put_database(home: Path) -> None:
    """Give a PREFECT_HOME the database that a new server would make there, unless it has one.

    Making it takes 6 s: it is made once for each version of Prefect, and kept where pytest keeps things.
    """
    kept = ROOT / ".pytest_cache" / "d" / f"prefect-{version('prefect')}.db"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as name:
            upgrade = [sys.executable, "-m", "prefect", "--no-prompt", "server", "database", "upgrade", "-y"]
            subprocess.run(upgrade, env=os.environ | {"PREFECT_HOME": name}, check=True, capture_output=True)
            with closing(sqlite3.connect(Path(name) / "prefect.db")) as made:
                made.execute("VACUUM INTO ?", [f"{name}/whole.db"])  # whatever is still in its journal too
            (Path(name) / "whole.db").replace(kept)
    home.mkdir(exist_ok=True)
    if not (home / "prefect.db").exists():
        shutil.copy(kept, home / "prefect.db")


class Server:
    """`prefect server start`, to be killed and started again: its port and its database stay."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.home, self._log = folder / "prefect", folder / "server.log"
        put_database(self.home)
        self.port = free_port()
        self.api = f"http://127.0.0.1:{self.port}/api"
        own = {"PREFECT_HOME": str(self.home), "PREFECT_SERVER_ANALYTICS_ENABLED": "0"}
        self._environment = os.environ | own | environment
        self.start()

    def start(self) -> None:
        prefect = [sys.executable, "-m", "prefect", "--no-prompt"]
        command = [*prefect, "server", "start", "--port", str(self.port), "--no-ui"]
        self._process = Process(command, self._log, environment=self._environment)
        until(self.answers, "Prefect's server answers", self._process)

    def answers(self) -> bool:
        return is_healthy(self.api)

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        self._process.stop()


@contextmanager
def webhook(port: int = 0, status: int = 200, seconds: float = 0.0) -> Iterator[tuple[str, list[str]]]:
    """A webhook that answers with this status after so many seconds: (its address, the texts that it was told)."""
    told: list[str] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            time.sleep(seconds)
            with suppress(OSError):  # whoever called waits no longer
                self.send_response(status)
                self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Hook) as receiver:
        threading.Thread(target=receiver.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{receiver.server_port}/", told
        finally:
            receiver.shutdown()


def is_healthy(api: str) -> bool:
    """Whether a Prefect server answers at this address."""
    try:
        return HTTP.get(f"{api}/health").is_success
    except httpx.HTTPError:
        return False


def ask(method: str, url: str, body: Any = None, password: tuple[str, str] | None = None) -> httpx.Response:
    """What Prefect's API answers. While its database is locked it is asked again, as Prefect's own client does."""

    def answer() -> httpx.Response | None:
        given = HTTP.request(method, url, json=body, auth=password)
        return None if given.status_code == httpx.codes.SERVICE_UNAVAILABLE else given

    return until(answer, f"{url} answers")  # type: ignore[return-value]


@contextmanager
def server(folder: Path, **environment: str) -> Iterator[Server]:
    """A Prefect server of one's own, which listens on loopback and writes into `folder`."""
    here = Server(folder, environment)
    try:
        yield here
    finally:
        here.stop()
