"""What several machines share, on loopback: an S3 endpoint that can go away, a PostgreSQL, a Dask cluster."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tests.support.machine import Machine, until


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class ObjectStore:
    """An S3 endpoint with a bucket. What it holds outlasts stop() and start()."""

    def __init__(self) -> None:
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

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket="bucket", Key=key)


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    store = ObjectStore()
    try:
        yield store
    finally:
        store.stop()


@contextmanager
def postgres() -> Iterator[int]:
    """A PostgreSQL of Debian's packages, with the user headstart and the empty database prefect: its port."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        as_user: list[str] = []
        if os.geteuid() == 0:  # as whom it refuses to run
            shutil.chown(folder, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        common = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        data = ["-D", f"{folder}/data"]
        subprocess.run([*as_user, programs / "initdb", *data, "-U", "headstart", "-A", "trust"], check=True, **common)
        settings = ["-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        server = subprocess.Popen([*as_user, programs / "postgres", *data, *settings], **common)
        try:
            there = ["-h", "127.0.0.1", "-p", str(port), "-U", "headstart"]
            ready = [programs / "pg_isready", *there]
            until(lambda: subprocess.run(ready, check=False, **common).returncode == 0, 60, "PostgreSQL is up")
            subprocess.run([programs / "createdb", *there, "prefect"], check=True, **common)
            yield port
        finally:
            subprocess.run([*as_user, programs / "pg_ctl", *data, "stop", "-m", "immediate"], check=True, **common)
            server.wait()


class Command:
    """A command line on a machine, in the project's folder. It ends with its machine."""

    def __init__(self, machine: Machine, line: str) -> None:
        self.machine, self.line = machine, line
        self._log = machine.folder / f"{uuid.uuid4().hex}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"], cwd=machine.project, env=machine.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        machine.started.append(self._process)

    def said(self) -> str:
        return self._log.read_text()

    def wait(self) -> int:
        return self._process.wait(600)

    def kill(self) -> None:
        """SIGKILL, for it and all that it has started."""
        os.killpg(self._process.pid, signal.SIGKILL)
