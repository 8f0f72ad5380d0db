"""Hostile archives: what would be written elsewhere, is no file, or is far larger than it looks."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tasks.experiment.data.formats import archive
from tasks.experiment.data.formats.reading import read_data
from tasks.experiment.errors import UnusableInputError


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (6, 5)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where archives are unpacked, and nothing must be left."""
    folder = tmp_path / "outer" / "temporary"
    folder.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def written(tmp_path: Path) -> set[str]:
    return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} - {"outer", "outer/temporary"}


def in_zip(path: Path, name: str, content: bytes = b"", kind: int = stat.S_IFREG) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        for label in "ab":
            for number in range(4):
                packed.writestr(f"{label}/{number}.png", png())
        info = zipfile.ZipInfo(name)
        info.external_attr = (kind | 0o644) << 16
        packed.writestr(info, content)


def in_tar(path: Path, name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as packed:
        for label in "ab":
            for number in range(4):
                _add(packed, f"{label}/{number}.png", png())
        _add(packed, name, content, kind, link)


def _add(packed: tarfile.TarFile, name: str, content: bytes, kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    packed.addfile(info, io.BytesIO(content))


ELSEWHERE = ("../evil.png", "a/../../evil.png", "/tmp/evil.png", "..\\evil.png", "../../outer/evil.png")


@pytest.mark.fault(
    "an archive ({kind}) with a file named {name}", "refused in a sentence; nothing is written elsewhere"
)
@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz"])
@pytest.mark.parametrize("name", ELSEWHERE)
def test_path_that_leads_out(name: str, kind: str, tmp_path: Path, place: Path) -> None:
    path = tmp_path / f"data{kind}"
    (in_zip if kind == ".zip" else in_tar)(path, name, png())
    with pytest.raises(UnusableInputError, match="which leads outside of it: take it away"):
        read_data(path)
    assert written(tmp_path) == {path.name}
    assert not Path("/tmp/evil.png").exists()


NO_FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a symbolic link to a password file": (
        "zip", lambda path: in_zip(path, "a/4.png", b"/etc/passwd", stat.S_IFLNK)
    ),
    "a device, in a zip": ("zip", lambda path: in_zip(path, "a/4.png", b"", stat.S_IFCHR)),
    "a symbolic link out": ("tar", lambda path: in_tar(path, "a/4.png", kind=tarfile.SYMTYPE, link="/etc/passwd")),
    "a symbolic link that stays": ("tar", lambda path: in_tar(path, "a/4.png", kind=tarfile.SYMTYPE, link="0.png")),
    "a hard link out": ("tar", lambda path: in_tar(path, "a/4.png", kind=tarfile.LNKTYPE, link="/etc/passwd")),
    "a device": ("tar", lambda path: in_tar(path, "a/4.png", kind=tarfile.CHRTYPE)),
    "a FIFO": ("tar", lambda path: in_tar(path, "a/4.png", kind=tarfile.FIFOTYPE)),
}  # fmt: skip


@pytest.mark.fault("an archive with {what}", "refused in a sentence; nothing is read or written elsewhere")
@pytest.mark.parametrize("what", NO_FILES)
def test_no_regular_file(what: str, tmp_path: Path, place: Path) -> None:
    suffix, write = NO_FILES[what]
    path = tmp_path / f"data.{suffix}"
    write(path)
    with pytest.raises(UnusableInputError, match=r"holds a/4\.png, which is a link or a device"):
        read_data(path)
    assert written(tmp_path) == {path.name}


def many(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(30):
            packed.writestr(f"a/{number}.png", b"")


def sparse(path: Path) -> None:
    """A tar that says of a file of a few bytes that it has a terabyte (GNU's old format for files with holes)."""
    with tarfile.open(path, "w") as packed:
        _add(packed, "a/0.png", b"x" * 512)
    content = bytearray(path.read_bytes())
    content[156:157] = tarfile.GNUTYPE_SPARSE
    content[386:410] = b"%011o\0%011o\0" % (0, 512)  # offset and length of its one piece
    content[483:495] = b"\x80" + (1 << 40).to_bytes(11, "big")
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    path.write_bytes(content)


def long_header(path: Path) -> None:
    """A header that is said to be a gigabyte of zeros, and is."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(4):
            stream.write(bytes(1 << 20))


BOMBS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "zeros that a zip packs a thousand times smaller": ("zip", lambda path: zeros_in_zip(path)),
    "zeros that gzip packs a thousand times smaller": ("tar.gz", lambda path: in_tar(path, "a/z.png", bytes(3 << 20))),
    "a hidden file of zeros": ("tar.gz", lambda path: in_tar(path, ".z.png", bytes(3 << 20))),
    "a file that is all hole": ("tar", sparse),
    "a header without end": ("tar.gz", long_header),
    "more files than anyone has": ("zip", many),
}


def zeros_in_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/z.png", bytes(3 << 20))


@pytest.mark.fault("an archive with {what}", "refused in a sentence before it fills memory or disk")
@pytest.mark.parametrize("what", BOMBS)
def test_bomb(what: str, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 2 << 20)
    monkeypatch.setattr(archive, "MAX_FILES", 20)
    suffix, write = BOMBS[what]
    path = tmp_path / f"data.{suffix}"
    write(path)
    assert path.stat().st_size < 50_000
    with pytest.raises(UnusableInputError, match="holds more than 0 GiB or 20 files, the limits"):
        read_data(path)
    assert written(tmp_path) == {path.name}


def damaged(path: Path, change: Callable[[bytes], bytes]) -> None:
    in_zip(path, "a/4.png", png()) if path.suffix == ".zip" else in_tar(path, "a/4.png", png())
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.fault("an archive ({kind}) that is {what}", "refused in a sentence; nothing is left of it")
@pytest.mark.parametrize("what", ["cut off", "empty", "something else", "altered"])
@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz", ".tgz"])
def test_damaged_archive(kind: str, what: str, tmp_path: Path, place: Path) -> None:
    def change(content: bytes) -> bytes:
        middle = len(content) // 2
        return {
            "cut off": content[:middle], "empty": b"", "something else": b"text" * 500,
            "altered": content[:middle] + bytes(byte ^ 255 for byte in content[middle : middle + 60])
            + content[middle + 60 :],
        }[what]  # fmt: skip

    path = tmp_path / f"data{kind}"
    damaged(path, change)
    with pytest.raises(UnusableInputError) as refused:
        read_data(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert written(tmp_path) == {path.name}


@pytest.mark.fault("an archive that is encrypted", "refused in a sentence")
def test_encrypted(tmp_path: Path, place: Path) -> None:
    path = tmp_path / "data.zip"
    in_zip(path, "a/4.png", png())
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := content.find(mark, start)) >= 0:
            content[start + flags] |= 1
            start += 4
    path.write_bytes(content)
    with pytest.raises(UnusableInputError, match="is encrypted, password required"):
        read_data(path)
    assert written(tmp_path) == {path.name}
