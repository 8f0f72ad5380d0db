"""Where artifacts live: a folder of this machine, or a place that machines share, with a copy on this one.

Opened here and nowhere else.
"""

import os
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from platformdirs import user_cache_path
from upath import UPath

from tasks.storage.files import printable

ROOT = Path(__file__).parents[2]  # of the project


def version() -> str:
    """The project's name and version, which is not installed and so is no package's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['name']} {project['version']}"


def data_root() -> Path:
    """The data folder: HEADSTART_DATA, or `data` in the project."""
    return Path(os.environ.get("HEADSTART_DATA") or ROOT / "data").absolute()


def shared_root() -> Path | UPath:
    """Where runs, artifacts and cache records are: HEADSTART_ARTIFACTS, or `artifacts` in the project.

    That is a folder, or a URL that fsspec knows (s3://bucket/prefix).
    """
    given = os.environ.get("HEADSTART_ARTIFACTS") or str(ROOT / "artifacts")
    if "://" not in given:
        return Path(given).absolute()
    # AWS' clients give up after a second. With ten attempts, each after a longer wait, ten seconds without an endpoint
    # are outlasted.
    os.environ.setdefault("AWS_RETRY_MODE", "standard")
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "10")
    options: Any = {"use_listings_cache": False} | ({"auto_mkdir": True} if given.startswith("file:") else {})
    return UPath(given, **options)


def is_shared() -> bool:
    """Whether artifacts are at a place that machines share."""
    return not isinstance(shared_root(), Path)


def artifacts_root() -> Path:
    """This machine's artifacts folder: the shared root, or this machine's copy of what it needed from there."""
    root = shared_root()
    return root if isinstance(root, Path) else user_cache_path("headstart") / quote(str(root), safe="")


class UnusableArtifactsError(RuntimeError):
    """The artifacts folder, or the place that machines share, can't be used."""

    def __init__(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        super().__init__(
            printable(
                f"The artifacts at {shared_root()} can't be used ({reason}): check address, endpoint and credentials"
                if is_shared()
                else f"The artifacts folder {artifacts_root()} can't be used ({reason}): "
                "give it room and write permission, or set HEADSTART_ARTIFACTS to a folder that has them"
            )
        )
