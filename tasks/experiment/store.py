"""Content-addressed artifacts: a folder of files, named by what is in them, that a reader verifies before it trusts."""

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tasks.experiment.locks import UNFINISHED, locked, temporary_folder

MANIFEST = "manifest.json"


def artifacts_root() -> Path:
    """The artifacts folder: HEADSTART_ARTIFACTS, or `artifacts` in the project. Opened here and nowhere else."""
    return Path(os.environ.get("HEADSTART_ARTIFACTS") or Path(__file__).parents[2] / "artifacts").absolute()


class UnusableArtifactsError(RuntimeError):
    """The artifacts folder can't be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"The artifacts folder {artifacts_root()} can't be used ({error.strerror}): "
            "give it room and write permission, or set HEADSTART_ARTIFACTS to a folder that has them"
        )


class DamagedArtifactError(RuntimeError):
    """A file of an artifact is missing or not what its manifest says."""


class Artifact(BaseModel):
    """The handle that travels between tasks: where the folder is, relative to the artifacts root, and its digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str = Field(pattern=r"^store/\w+/[0-9a-f]{16}$")
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")

    def folder(self) -> Path:
        """The folder, verified. Raises DamagedArtifactError naming the first file that is wrong."""
        folder = artifacts_root() / self.path
        try:
            files = json.loads((folder / MANIFEST).read_text())
            if _digest(files) != self.digest:
                raise DamagedArtifactError(f"{folder / MANIFEST} is not the manifest of {self.digest}")
            for name, expected in files.items():
                if _describe(folder / name) != expected:
                    raise DamagedArtifactError(f"{folder / name} is not what its manifest says")
        except (OSError, ValueError) as error:
            raise DamagedArtifactError(f"{folder} can't be read: {error}") from error
        return folder

    def is_intact(self) -> bool:
        try:
            self.folder()
        except DamagedArtifactError:
            return False
        return True


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
    root = artifacts_root()
    with temporary_folder(root) as temporary:
        new = temporary / "artifact"
        new.mkdir()
        write(new)
        files = {str(f.relative_to(new)): _describe(f) for f in sorted(new.rglob("*")) if f.is_file()}
        (new / MANIFEST).write_text(json.dumps(files, indent=1))
        artifact = Artifact(path=f"store/{stage}/{_digest(files)[:16]}", digest=_digest(files))
        target = root / artifact.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(root / UNFINISHED / f"{stage}.lock"):  # others may be about to put the same there
            if not artifact.is_intact():
                if os.path.lexists(target):
                    target.rename(temporary / "damaged")
                new.rename(target)
    return artifact


def save_model(model: Any, path: Path) -> None:
    """Save a Keras model as a file whose bytes depend on weights and architecture only.

    Keras writes the time into the zip and its metadata, and memory addresses (as identities of shared objects) into
    the configuration: the times go and the identities are counted from 1, so that equal models are equal files.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".keras-") as temporary:
        saved = Path(temporary) / "model.keras"
        model.save(saved)
        with zipfile.ZipFile(saved) as stamped, zipfile.ZipFile(path, "w") as clean:
            for name in sorted(stamped.namelist()):
                content = stamped.read(name)
                if name == "metadata.json":
                    metadata = json.loads(content)
                    metadata.pop("date_saved")
                    content = json.dumps(metadata).encode()
                if name == "config.json":
                    content = _count_shared_objects(content.decode()).encode()
                clean.writestr(zipfile.ZipInfo(name), content)


def _count_shared_objects(config: str) -> str:
    numbers: dict[str, int] = {}
    return re.sub(
        r'(?<="shared_object_id": )\d+', lambda found: str(numbers.setdefault(found[0], len(numbers) + 1)), config
    )


def copy_files(artifact: Artifact, target: Path) -> None:
    """Copy an artifact's files, verified, without its manifest, into `target`."""
    shutil.copytree(artifact.folder(), target, ignore=shutil.ignore_patterns(MANIFEST), dirs_exist_ok=True)


def _describe(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest(), "bytes": file.stat().st_size}


def _digest(files: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
