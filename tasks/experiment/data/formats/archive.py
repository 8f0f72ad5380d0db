"""Archives: unpacked into a place of their own, which is gone once they were read. Nothing is written elsewhere."""

import gzip
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from tasks.experiment.data.formats.files import SYSTEM_NAMES
from tasks.experiment.data.formats.labelled import MAX_BYTES
from tasks.experiment.errors import UnusableInputError

LAYOUT = "a .zip, .tar or .tar.gz of one of these"
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
MAX_FILES = 1_000_000


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Where the files are that `path` gives: there, or as long as this lasts, where its archive was unpacked.

    Raises UnusableInputError, before it is written, for what is no regular file or folder, or would be elsewhere, and
    for too much of all. One that is raised meanwhile speaks of the archive.
    """
    if not is_archive(path):
        yield path
        return
    with TemporaryDirectory(prefix="headstart-") as place:
        root = Path(place).resolve()
        try:
            _unpack(path, root)
            yield root
        except UnusableInputError as error:
            raise UnusableInputError(str(error).replace(str(root), str(path))) from error


def _unpack(path: Path, root: Path) -> None:
    try:
        if path.suffix.lower() == ".zip":
            _unpack_zip(path, root)
        else:
            _unpack_tar(path, root)
    except UnusableInputError:
        raise
    except Exception as error:
        # As for .npz files: there are many ways to be damaged, and each of them means that the file can't be used.
        raise UnusableInputError(f"{path} can't be unpacked into {root.parent}: {error}") from error


def _unpack_zip(path: Path, root: Path) -> None:
    with _open_zip(path) as archive:
        members = archive.infolist()
        _refuse_large(path, len(members), sum(member.file_size for member in members))
        for member in members:
            kind = stat.S_IFMT(member.external_attr >> 16)  # 0: of a system without kinds
            if _is_wanted(path, member.filename, is_plain=kind in (0, stat.S_IFREG, stat.S_IFDIR)):
                archive.extract(member, root)


def _open_zip(path: Path) -> zipfile.ZipFile:
    """Names that don't say how they are encoded are taken for UTF-8, if they can be, else for those of MS-DOS."""
    try:
        return zipfile.ZipFile(path, metadata_encoding="utf-8")
    except UnicodeDecodeError:
        return zipfile.ZipFile(path)


def _unpack_tar(path: Path, root: Path) -> None:
    count = size = 0
    with (
        path.open("rb") if path.suffix.lower() == ".tar" else gzip.open(path) as stream,
        tarfile.open(fileobj=_Bounded(stream, path), mode="r|") as archive,  # type: ignore[call-overload]
    ):
        for member in archive:
            count, size = count + 1, size + member.size  # a sparse file may have far more than the archive
            _refuse_large(path, count, size)
            if _is_wanted(path, member.name, is_plain=member.isreg() or member.isdir()):
                archive.extract(member, root, set_attrs=False, filter="data")


class _Bounded:
    """The content of an archive, up to a limit: its headers, too, may be said to be longer than any memory."""

    def __init__(self, stream: Any, path: Path) -> None:
        self._stream, self._path, self._read = stream, path, 0

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._read += len(data)
        _refuse_large(self._path, 0, self._read)
        return data


def _is_wanted(path: Path, name: str, *, is_plain: bool) -> bool:
    """Whether a member is neither hidden, nor below what is, nor put there by a system.

    Refuses one whose name leads elsewhere, or that is wanted, but no regular file or folder.
    """
    place = PurePosixPath(name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts:
        raise UnusableInputError(f"{path} holds {name}, which leads outside of it: take it away")
    if any(part.startswith(".") or part.lower() in SYSTEM_NAMES for part in place.parts):
        return False
    if not is_plain:
        raise UnusableInputError(f"{path} holds {name}, which is a link or a device: put a regular file in its place")
    return True


def _refuse_large(path: Path, files: int, size: int) -> None:
    if files > MAX_FILES or size > MAX_BYTES:
        raise UnusableInputError(
            f"{path} holds more than {MAX_BYTES >> 30} GiB or {MAX_FILES:,} files, the limits: give its folder"
        )
