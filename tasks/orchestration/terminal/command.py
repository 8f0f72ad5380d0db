"""What the commands that are no flows say of themselves."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.storage.roots import version


def command_parser(module: str, description: str | None) -> ArgumentParser:
    """A parser with --help and --version for `python -m module`; it tells the description's first line."""
    parser = ArgumentParser(prog=f"python -m {module}", description=(description or "").split("\n")[0])
    parser.add_argument("--version", action="version", version=version())
    return parser


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Who reads what is printed may stop, as in `… | head`: the rest goes nowhere, without a traceback."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python prints at its end
