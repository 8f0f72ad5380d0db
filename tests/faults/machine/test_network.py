"""Every source of the data set failing in every way, by a local server that says what a socket can say."""

import gzip
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect import flow

from tasks.download import download
from tasks.experiment.data import mirrors
from tasks.experiment.data.fashion_mnist import FILES, NAME, is_valid
from tasks.experiment.data.mirror_kinds import Progress, Website
from tasks.experiment.data.mirrors import NoDataError, TransientNoDataError, fetch
from tests.faults.checks import SMALL
from tests.support.processes import PATIENCE

Answer = Callable[[socket.socket, bytes], None]


def head(length: int, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n".encode()


def whole(client: socket.socket, body: bytes) -> None:
    client.sendall(head(len(body)) + body)


def reset(client: socket.socket, body: bytes) -> None:
    client.sendall(head(len(body)) + body[: len(body) // 2])
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def ends_early(client: socket.socket, body: bytes) -> None:
    client.sendall(head(len(body)) + body[: len(body) // 2])


def stalls(client: socket.socket, body: bytes) -> None:
    client.sendall(head(len(body)) + body[: len(body) // 2])
    client.recv(1)  # until the other side gives up


def says_nothing(client: socket.socket, body: bytes) -> None:
    client.recv(1)


def wrong_bytes(client: socket.socket, body: bytes) -> None:
    whole(client, gzip.compress(bytes(FILES[SMALL].size)))


def longer(client: socket.socket, body: bytes) -> None:
    whole(client, gzip.compress(gzip.decompress(body) + b"more"))


def shorter(client: socket.socket, body: bytes) -> None:
    whole(client, gzip.compress(gzip.decompress(body)[:-1]))


def wrong_length(client: socket.socket, body: bytes) -> None:
    client.sendall(head(-5) + body)


def endless(client: socket.socket, body: bytes) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        client.sendall(bytes(1 << 20))


def packed_bomb(client: socket.socket, body: bytes) -> None:
    """80 MB of zeros as a small body that asks the client to unpack it."""
    bomb = gzip.compress(bytes(1_000_000)) * 80
    client.sendall(head(len(bomb), more="Content-Encoding: gzip\r\n") + bomb)


def server_error(client: socket.socket, body: bytes) -> None:
    client.sendall(head(0, "500 Oh no"))


def not_http(client: socket.socket, body: bytes) -> None:
    client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def redirect_loop(client: socket.socket, body: bytes) -> None:
    client.sendall(head(0, "302 Found", f"Location: /{SMALL}.gz\r\n"))


def redirect_to_file(client: socket.socket, body: bytes) -> None:
    client.sendall(head(0, "302 Found", "Location: file:///etc/passwd\r\n"))


LASTING = [wrong_bytes, longer, shorter, endless, packed_bomb, redirect_loop, redirect_to_file]
SILENT = [stalls, says_nothing]
PASSING = [*SILENT, reset, ends_early, server_error, not_http, wrong_length]
ANSWERS = {answer.__name__.replace("_", " "): answer for answer in LASTING + PASSING}


@pytest.fixture
def failing_mirror(raw: Path, content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Answer]]:
    """A mirror that gives SMALL by the next of these answers, the last one for ever; all other files are there."""
    raw.mkdir(parents=True)
    for name, body in content.items():
        if name != SMALL:
            (raw / name).write_bytes(body)
    packed = gzip.compress(content[SMALL])
    answers: list[Answer] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(client: socket.socket) -> None:
        with client:
            try:
                client.recv(65536)
                (answers.pop(0) if len(answers) > 1 else answers[0])(client, packed)
            except ConnectionError:
                pass

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            answer(client)

    thread = threading.Thread(target=serve)
    thread.start()
    monkeypatch.setattr(mirrors, "MIRRORS", (f"http://127.0.0.1:{listener.getsockname()[1]}/",))
    monkeypatch.setattr(mirrors, "TIMEOUT_SECONDS", PATIENCE)
    yield answers
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def shorten_the_wait(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the first mirror only, and only if nothing is to come: how long the test waits for it tells nothing."""
    first = mirrors.MIRRORS[0]

    def website(address: str, timeout: float, progress: Progress) -> Website:
        return Website(address, 0.1 if address == first else timeout, progress)

    if answer in SILENT:
        monkeypatch.setattr(mirrors, "Website", website)


@pytest.mark.fault("a mirror: {how}", "refused by name, with what to do; nothing is left in data/raw")
@pytest.mark.parametrize("how", ANSWERS)
def test_failing_mirror(how: str, failing_mirror: list[Answer], raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_mirror.append(ANSWERS[how])
    shorten_the_wait(ANSWERS[how], monkeypatch)
    with pytest.raises(NoDataError) as failed:
        fetch()
    assert isinstance(failed.value, TransientNoDataError) == (ANSWERS[how] in PASSING)
    assert f"{mirrors.MIRRORS[0]}{SMALL}.gz" in str(failed.value)
    assert f"put {SMALL} (or the same with .gz) into {raw}" in str(failed.value)
    assert {file.name for file in raw.iterdir()} == set(FILES) - {SMALL}
    assert not list(raw.parent.glob(".new/*"))


@pytest.mark.fault("a mirror that refuses connections", "refused by name, worth a retry")
def test_refused(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
    monkeypatch.setattr(mirrors, "MIRRORS", (address,))
    with pytest.raises(TransientNoDataError, match=address):
        fetch()


@pytest.mark.fault("a mirror: {first}, the next mirror fine", "the file comes from the next one")
@pytest.mark.parametrize("first", ["reset", "wrong bytes", "stalls"])
def test_next_mirror(first: str, failing_mirror: list[Answer], raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (address,) = mirrors.MIRRORS
    monkeypatch.setattr(mirrors, "MIRRORS", (address, f"{address}next/"))
    failing_mirror += [ANSWERS[first], whole]
    shorten_the_wait(ANSWERS[first], monkeypatch)
    fetch()
    assert is_valid(raw / SMALL)


@pytest.mark.fault("the installed package {how}", "the file comes from the next source")
@pytest.mark.parametrize("how", ["truncated", "of other content"])
def test_damaged_package(how: str, failing_mirror: list[Answer], raw: Path, content: dict[str, bytes]) -> None:
    mirrors.PACKAGE_FOLDER.mkdir()
    packed = gzip.compress(content[SMALL]) if how == "truncated" else gzip.compress(bytes(len(content[SMALL])))
    (mirrors.PACKAGE_FOLDER / f"{SMALL}.gz").write_bytes(packed[:-100] if how == "truncated" else packed)
    failing_mirror.append(whole)
    fetch()
    assert is_valid(raw / SMALL)


@pytest.mark.fault("a mirror: 500 three times, then fine", "three retries later the data is there")
def test_three_errors(
    failing_mirror: list[Answer], raw: Path, tmp_path: Path, prefect_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))
    failing_mirror += [server_error, server_error, server_error, whole]

    @flow
    def only_download() -> None:
        download.with_options(retry_delay_seconds=0)(NAME, None)

    only_download()
    assert failing_mirror == [whole]
    assert is_valid(raw / SMALL)


@pytest.mark.fault("apt-get gives {what}", "one sentence says so, with what to do")
@pytest.mark.parametrize(
    ("what", "script", "says"),
    [
        (
            "a broken package",
            'case "$*" in *download*) echo broken > dataset-fashion-mnist.deb;; esac',
            "dpkg-deb: error",
        ),
        ("an error", "echo 'E: Unable to locate package' >&2; exit 100", "E: Unable to locate package"),
        ("nothing for too long", "exec sleep 1000000", "no answer in 0.1 s"),
    ],
)
def test_package_registry(
    what: str, script: str, says: str, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "apt-get").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(mirrors, "APT_SECONDS", 0.1 if "nothing" in what else PATIENCE)
    with pytest.raises(NoDataError, match=f"the Debian package {mirrors.PACKAGE}: {says}") as failed:
        fetch()
    assert "What to do" in str(failed.value)
    assert not list(raw.parent.glob(".new/*"))


@pytest.mark.fault("{what} put into data/raw by hand", "refused before it is unpacked or read into memory")
@pytest.mark.parametrize("what", ["a gzip bomb", "a gzip file of 3 GB", "a plain file of 3 GB", "not a gzip file"])
def test_hostile_file_by_hand(what: str, raw: Path) -> None:
    """The memory that it takes is measured: less than the data set's own."""
    import tracemalloc

    raw.mkdir(parents=True)
    packed = raw / f"{SMALL}.gz"
    match what:
        case "a gzip bomb":
            packed.write_bytes(gzip.compress(bytes(200_000_000), 1))
        case "a gzip file of 3 GB":
            with packed.open("wb") as stream:
                stream.truncate(3_000_000_000)  # a hole: it takes no room on the disk
        case "a plain file of 3 GB":
            with (raw / SMALL).open("wb") as stream:
                stream.truncate(3_000_000_000)
        case "not a gzip file":
            packed.write_bytes(b"GIF89a")
    tracemalloc.start()
    try:
        with pytest.raises(NoDataError, match=SMALL):
            fetch()
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
