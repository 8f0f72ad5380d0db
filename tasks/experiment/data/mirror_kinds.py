"""The kinds of places that known files can be had from: a folder, a web site, a Debian package."""

import gzip
import io
import shutil
import socket
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol

import httpx

from tasks.experiment.data.dataset import KnownFile
from tasks.storage.files import printable

Progress = Callable[[str, int, int], None]  # file, bytes so far, bytes in all (0: unknown)


class MirrorError(RuntimeError):
    """A mirror can't give a file. may_pass: trying again may help. for_all: other files won't fare better."""

    def __init__(self, message: str, *, may_pass: bool = False, for_all: bool = False) -> None:
        super().__init__(printable(message))
        self.may_pass, self.for_all = may_pass, for_all


class Mirror(Protocol):
    """Where files can be had."""

    def get(self, name: str, known: KnownFile) -> bytes:
        """The file's content, unpacked and checked. Raises MirrorError or OSError."""


@dataclass(frozen=True)
class Folder:
    """A folder that holds files, plain or .gz."""

    path: Path

    def get(self, name: str, known: KnownFile) -> bytes:
        plain, packed = self.path / name, self.path / f"{name}.gz"
        if known.is_at(plain):
            return plain.read_bytes()
        if packed.is_file():
            with packed.open("rb") as stream:
                return _unpacked(stream, known, packed)
        raise MirrorError(f"{plain}: {'damaged' if plain.exists() else 'not there'}")


@dataclass(frozen=True)
class Website:
    """An address below which the files are, as .gz. timeout: seconds of silence."""

    address: str
    timeout: float
    progress: Progress

    def get(self, name: str, known: KnownFile) -> bytes:
        url = f"{self.address}{name}.gz"
        try:
            packed = self._download(url, name, known.size)
        except httpx.HTTPError as error:
            unreachable = isinstance(error, httpx.TransportError)
            raise MirrorError(f"{url}: {error}", may_pass=_may_pass(error), for_all=unreachable) from error
        return _unpacked(io.BytesIO(packed), known, url)

    def _download(self, url: str, name: str, limit: int) -> bytes:
        # No content encoding on the way: only `_unpacked` knows how much there may be.
        plain = {"Accept-Encoding": "identity"}
        with httpx.stream("GET", url, follow_redirects=True, timeout=self.timeout, headers=plain) as response:
            response.raise_for_status()
            total = int(response.headers.get("content-length", 0))
            packed = bytearray()
            for chunk in response.iter_raw():
                packed += chunk
                self.progress(name, len(packed), total)
                if len(packed) > limit:
                    raise MirrorError(f"{url}: more than {limit} bytes")
        return bytes(packed)


@dataclass(frozen=True)
class DebianPackage:
    """A package of the machine's registry, unpacked in a private folder: no root, no change to the system.

    files: the folder in it. timeout: seconds for each step.
    """

    name: str
    files: Path
    timeout: float
    private: Path

    def get(self, name: str, known: KnownFile) -> bytes:
        return self._unpacked.get(name, known)

    @cached_property
    def _unpacked(self) -> Folder:
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise self._error("apt-get is not installed")
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.private / folder).mkdir(parents=True)
        places = {"Dir::State::Lists": self.private / "lists", "Dir::Cache": self.private / "cache"}
        options = {**places, "Debug::NoLocking": 1, "Acquire::Retries": 1}
        apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]
        self._run([*apt, "update"], may_fail=True)  # perhaps only lists that are not needed are out of reach
        self._run([*apt, "download", self.name])
        for package in self.private.glob("*.deb"):
            package.rename(self.private / f"{self.name}.deb")
        self._run(["dpkg-deb", "--extract", f"{self.name}.deb", "unpacked"])
        return Folder(self.private / "unpacked" / self.files)

    def _run(self, command: list[str], *, may_fail: bool = False) -> None:
        try:
            done = subprocess.run(
                command, cwd=self.private, capture_output=True, encoding="utf-8", errors="replace", timeout=self.timeout
            )
        except subprocess.TimeoutExpired as error:
            raise self._error(f"no answer in {self.timeout} s") from error
        except OSError as error:
            raise self._error(str(error)) from error
        if done.returncode and not may_fail:
            raise self._error(" ".join(done.stderr.split())[:300])

    def _error(self, reason: str) -> MirrorError:
        return MirrorError(f"the Debian package {self.name}: {reason}", for_all=True)


def _may_pass(error: httpx.HTTPError) -> bool:
    """Whether trying again may help: not for a 404, or a host that has no address."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500 or error.response.status_code == 429
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, socket.gaierror):
            return False
        cause = cause.__cause__ or cause.__context__
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def _unpacked(packed: IO[bytes], known: KnownFile, origin: Path | str) -> bytes:
    """Decompressed, but never more than one byte beyond the size that the file must have; then checked."""
    try:
        with gzip.open(packed) as stream:
            content = stream.read(known.size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise MirrorError(f"{origin}: not a whole gzip file ({error})") from error
    if not known.has(content):
        raise MirrorError(f"{origin}: wrong content (its sha256 is not the known one)")
    return content
