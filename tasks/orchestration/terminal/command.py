"""What the commands that are no flows say of themselves."""

from argparse import ArgumentParser

from tasks.storage.roots import version


def command_parser(module: str, description: str | None) -> ArgumentParser:
    """A parser with --help and --version for `python -m module`; it tells the description's first line."""
    parser = ArgumentParser(prog=f"python -m {module}", description=(description or "").split("\n")[0])
    parser.add_argument("--version", action="version", version=version())
    return parser
