"""What several tests share: a Prefect server, the real data, a mirror of it on loopback."""

import gzip
import http.server
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tasks.experiment.data import mirrors
from tasks.experiment.data.fashion_mnist import FILES
from tasks.storage.roots import data_root

pytest_plugins = ["tests.faults.table", "tests.support.processes", "tests.support.workers"]
pytest.register_assert_rewrite("tests.faults.checks", "tests.support")

# A home of the tests' own: nothing is left in the user's, and none of the user's settings plays a part.
HOME = Path(tempfile.mkdtemp(prefix="headstart-tests-"))
for name in list(os.environ):
    if name.startswith(("PREFECT_", "XDG_")) or name == "HEADSTART_RUNNER":
        del os.environ[name]
os.environ |= {
    "HOME": str(HOME),
    "HEADSTART_ARTIFACTS": str(HOME / "artifacts"),
    "HYPOTHESIS_STORAGE_DIRECTORY": str(HOME),
}
# A shell lets what it starts in the background ignore Ctrl-C, and so would each command that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The same examples everywhere, and none judged by how long it takes: Hypothesis gives each 200 ms where CI is not set.
settings.register_profile("headstart", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headstart")


def pytest_collection_finish() -> None:
    """Whichever test computes first: TensorFlow's threads can't be set afterwards."""
    if "tensorflow" in sys.modules:  # as soon as a test of networks was collected
        from tasks.experiment.networks.trainer import set_threads

        set_threads()


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real server of the tests' own, with a database of its own."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from tests.support.services import server

    with (
        server(tmp_path_factory.mktemp("server")) as here,
        temporary_settings({PREFECT_API_URL: here.api, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),  # a second a flow
    ):
        yield
        for worker in (APILogWorker, EventsWorker):  # else they look for the server until the session's end and beyond
            worker.drain_all()


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An artifacts folder for all tests of a module."""
    folder = tmp_path_factory.mktemp("artifacts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_ARTIFACTS", str(folder))
        yield folder


@pytest.fixture(scope="session")
def content() -> dict[str, bytes]:
    """The four real files, from wherever this machine has them."""
    mirrors.fetch()
    return {name: (data_root() / "raw" / name).read_bytes() for name in FILES}


@pytest.fixture(scope="session")
def packed(content: dict[str, bytes]) -> dict[str, bytes]:
    """The same as gzip files."""
    return {name: gzip.compress(body, 1) for name, body in content.items()}


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data/raw, on a machine with no package installed, no apt-get and no mirror."""
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mirrors, "PACKAGE_FOLDER", tmp_path / "package")
    monkeypatch.setattr(mirrors, "MIRRORS", ())
    return tmp_path / "data" / "raw"


@pytest.fixture
def mirror(packed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, bytes]]]:
    """A mirror on loopback; what it answers, path → (status, body), may be changed."""
    from tests.support.processes import PATIENCE

    answers = {f"/{name}.gz": (200, body) for name, body in packed.items()}

    class Mirror(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", self.path)
            self.send_header("Content-Length", str(len(body) if status != 206 else 2 * len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setattr(mirrors, "MIRRORS", (f"http://127.0.0.1:{server.server_port}/",))
        monkeypatch.setattr(mirrors, "TIMEOUT_SECONDS", PATIENCE)
        yield answers
        server.shutdown()
