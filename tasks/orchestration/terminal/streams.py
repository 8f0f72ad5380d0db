"""The streams that a command was started with, made fit for use."""

import os
import sys
from io import TextIOWrapper


def say_that_it_starts() -> None:
    """The terminal's first line, before imports that take seconds, or a minute where no file is in memory yet."""
    is_command = sys.argv[0] == "-m"  # while Python looks for the module that it was given
    if is_command and sys.stderr.isatty() and not {"-h", "--help", "--version"}.intersection(sys.argv):
        print("Starting …", file=sys.stderr, flush=True)


def prepare_streams() -> None:
    """Let closed standard streams lead nowhere, and replace what the terminal's encoding can't show.

    The number of a closed one would go to the next file that is opened, which then got what libraries print.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):  # standard error replaces by itself
        sys.stdout.reconfigure(errors="replace")
