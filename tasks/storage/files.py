"""Files that are read and written whole, and what of a file's name can be printed."""

import errno
import json
from pathlib import Path
from typing import Any

from upath import UPath


def read_text(path: Path | UPath) -> str:
    """Of a regular file, UTF-8: another one (a FIFO, a device) might have no end. Raises OSError, or ValueError."""
    if isinstance(path, Path) and path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return path.read_text(encoding="utf-8")


def write_text(path: Path | UPath, text: str) -> None:
    """In UTF-8, whatever the user's locale is."""
    path.write_text(text, encoding="utf-8")


def read_json(path: Path | UPath) -> Any:
    """Raises OSError, or ValueError if the file is not JSON."""
    return json.loads(read_text(path))


def write_json(path: Path | UPath, value: Any) -> None:
    write_text(path, json.dumps(value, indent=1))


def printable(text: object) -> str:
    """The text on one line, with escapes for what a terminal or a log might obey: control characters, line ends,
    directions of writing, bytes of a file name that are no UTF-8.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))
