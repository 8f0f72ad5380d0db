"""What machines share: files below the shared root, at the same paths as on each machine.

An object store has no rename: what belongs together is believed only once the file that is written last is there.
"""

from contextlib import suppress
from pathlib import Path

from upath import UPath

from tasks.storage.locks import remove
from tasks.storage.roots import artifacts_root, shared_root


def share(path: str, last: str) -> None:
    """Copy a folder of this machine to the shared root: the file `last` last, and gone while the others are written."""
    here, there = artifacts_root() / path, _there(path)
    remove_shared(f"{path}/{last}")
    names = [str(file.relative_to(here)) for file in sorted(here.rglob("*")) if file.is_file() and file.name != last]
    there.fs.put([str(here / name) for name in names], [(there / name).path for name in names])
    there.fs.put(str(here / last), (there / last).path)


def fetch(path: str, names: list[str], target: Path) -> None:
    """Copy files of a shared folder into the folder `target`. Raises FileNotFoundError."""
    there = _there(path)
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
    there.fs.get([(there / name).path for name in names], [str(target / name) for name in names])


def share_file(path: str) -> None:
    there = _there(path)
    there.fs.put_file(str(artifacts_root() / path), there.path)


def fetch_file(path: str) -> None:
    """This machine's copy of a shared file: replaced, or removed if it is shared no more."""
    here = artifacts_root() / path
    try:
        content = read_shared(path)
    except FileNotFoundError:
        remove(here)
        return
    here.parent.mkdir(parents=True, exist_ok=True)
    here.write_bytes(content)


def read_shared(path: str) -> bytes:
    """Raises FileNotFoundError."""
    return _there(path).read_bytes()


def remove_shared(path: str) -> None:
    """Remove a shared file, if it is there."""
    there = _there(path)
    with suppress(FileNotFoundError):
        there.fs.rm_file(there.path)


def _there(path: str) -> UPath:
    return UPath(shared_root() / path)
