"""A command in a terminal: what a person at the keyboard would see of it."""

import os
import pty
import re
import select
import subprocess
from pathlib import Path

from tests.support.processes import PATIENCE, show_if_red


def in_terminal(
    command: list[str], folder: Path, environment: dict[str, str], last: str | None = None
) -> tuple[int, str]:
    """(exit status, what the terminal shows) of a command. SIGINT as soon as it has said `last`, if that is given."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    while True:
        if not select.select([ours], [], [], PATIENCE)[0]:
            process.kill()  # what is shown tells how far it came
            break
        try:
            more = os.read(ours, 65536)
        except OSError:  # its last process has ended
            break
        if not more:
            break
        shown += more
        if last and last.encode() in shown:
            process.send_signal(2)
            last = None
    os.close(ours)
    text = shown.decode(errors="replace")
    log = folder.parent / f"terminal-{process.pid}.log"
    log.write_text(re.sub(r"\x1b\[[\d;]*m", "", "\n".join(left_on_screen(text))))
    show_if_red(log)
    return process.wait(), text


def left_on_screen(shown: str) -> list[str]:
    """The lines that a terminal has in the end, with their colours, of all that it was sent: bars come and go."""
    lines, row = [""], 0
    for part in re.split(r"(\x1b\[\d*A|\x1b\[2K|\n)", re.sub(r"\r|\x1b\[\?25[lh]|\x1b\]8;[^\x1b]*\x1b\\\\", "", shown)):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif up := re.fullmatch(r"\x1b\[(\d*)A", part):
            row = max(0, row - int(up[1] or 1))
        else:
            lines[row] += part
    return lines
