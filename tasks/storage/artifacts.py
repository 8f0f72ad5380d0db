"""Content-addressed artifacts: a folder of files, named by what is in them, that a reader verifies before it trusts."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tasks.storage.files import read_json, write_json
from tasks.storage.locks import UNFINISHED, locked, temporary_folder
from tasks.storage.roots import artifacts_root, is_shared
from tasks.storage.sharing import fetch, read_shared, remove_shared, share

MANIFEST = "manifest.json"


class DamagedArtifactError(RuntimeError):
    """A file of an artifact is missing or not what its manifest says."""


class Handle(BaseModel):
    """What travels between tasks: never data, but what names them. Frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def is_intact(self) -> bool:
        """Whether all that it names is there and undamaged: its artifacts, and the handles in it."""
        return all(part.is_intact() for _, part in self if isinstance(part, Handle))


class Artifact(Handle):
    """Where an artifact's folder is, relative to the artifacts root, and its digest."""

    path: str = Field(pattern=r"^store/\w+/[0-9a-f]{16}$")
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")

    def folder(self) -> Path:
        """The folder on this machine, verified; what machines share is copied here first, if it is not here intact.

        Raises DamagedArtifactError naming the first file that is wrong.
        """
        folder = artifacts_root() / self.path
        try:
            return self._verified(folder)
        except DamagedArtifactError:
            if not is_shared():
                raise
        self._copy_here()
        return self._verified(folder)

    def is_intact(self) -> bool:
        """Here, and where machines share it: there its manifest, which is written last, vouches for it."""
        try:
            self.folder()
        except DamagedArtifactError:
            return False
        return not is_shared() or self._is_shared()

    def keep(self, new: Path, damaged: Path) -> None:
        """Put `new` in this artifact's place, unless what is there is intact: what is not goes to `damaged`."""
        target = artifacts_root() / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        # Others may be about to put the same there.
        with locked(artifacts_root() / UNFINISHED / f"{target.parent.name}.lock"):
            try:
                self._verified(target)
            except DamagedArtifactError:
                if os.path.lexists(target):
                    target.rename(damaged)
                new.rename(target)

    def share(self) -> None:
        """Put it where machines share it, unless it is there."""
        if is_shared() and not self._is_shared():
            share(self.path, last=MANIFEST)

    def _verified(self, folder: Path) -> Path:
        try:
            files = read_json(folder / MANIFEST)
            if _digest(files) != self.digest:
                raise DamagedArtifactError(f"{folder / MANIFEST} is not the manifest of {self.digest}")
            for name, expected in files.items():
                if _describe(folder / name) != expected:
                    raise DamagedArtifactError(f"{folder / name} is not what its manifest says")
        except (OSError, ValueError) as error:
            raise DamagedArtifactError(f"{folder} can't be read: {error}") from error
        return folder

    def _is_shared(self) -> bool:
        try:
            return _digest(json.loads(read_shared(f"{self.path}/{MANIFEST}"))) == self.digest
        except (FileNotFoundError, ValueError):
            return False

    def _copy_here(self) -> None:
        """Copy it from the shared root. What is damaged there loses its manifest, so that it is rebuilt."""
        with temporary_folder(artifacts_root()) as temporary:
            new = temporary / "artifact"
            try:
                fetch(self.path, [MANIFEST], new)
                files = read_json(new / MANIFEST)
                if _digest(files) != self.digest or not all(_is_inside(name) for name in files):
                    raise DamagedArtifactError(f"{self.path}/{MANIFEST} is not the manifest of {self.digest}")
                fetch(self.path, list(files), new)
                self._verified(new)
            except (FileNotFoundError, ValueError, DamagedArtifactError) as error:
                remove_shared(f"{self.path}/{MANIFEST}")
                raise DamagedArtifactError(f"{self.path} is not whole where it is shared: {error}") from error
            self.keep(new, temporary / "damaged")


def artifacts_in(value: Any) -> Iterator[Artifact]:
    """All handles of artifacts inside a value: models, lists and mappings of them."""
    if isinstance(value, Artifact):
        yield value
    elif isinstance(value, BaseModel):
        yield from artifacts_in(dict(value))
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from artifacts_in(item)


def save(stage: str, write: Callable[[Path], None]) -> Artifact:
    """Let `write` fill a temporary folder, then rename it to store/<stage>/<digest>. What is there and intact stays."""
    with temporary_folder(artifacts_root()) as temporary:
        new = temporary / "artifact"
        new.mkdir()
        write(new)
        files = {str(f.relative_to(new)): _describe(f) for f in sorted(new.rglob("*")) if f.is_file()}
        write_json(new / MANIFEST, files)
        artifact = Artifact(path=f"store/{stage}/{_digest(files)[:16]}", digest=_digest(files))
        artifact.keep(new, temporary / "damaged")
    artifact.share()
    return artifact


def is_store_empty() -> bool:
    """Whether nothing was ever stored on this machine."""
    return not (artifacts_root() / "store").exists()


def copy_files(artifact: Artifact, target: Path) -> None:
    """Copy an artifact's files, verified, without its manifest, into `target`."""
    shutil.copytree(artifact.folder(), target, ignore=shutil.ignore_patterns(MANIFEST), dirs_exist_ok=True)


def _describe(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise OSError(f"{file} is not a regular file")
    with file.open("rb") as stream:
        return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest(), "bytes": file.stat().st_size}


def _is_inside(name: str) -> bool:
    """Whether a file of that name is inside the folder that it is to be in."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _digest(files: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
