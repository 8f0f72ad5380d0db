"""Processes that tests start, and waiting for what they do: a failed test shows what they said."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from tasks.storage.roots import ROOT

PATIENCE = 1800.0  # seconds: it only ends a test that hangs, no test may depend on how fast the machine is
LONGEST_PAUSE = 1.0  # seconds: to ask a server ten times a second costs half a core
ASKED_AGAIN = 60.0  # seconds, after which a process that was to end is told so once more
SHOWN_LOGS, SHOWN_LINES = 8, 30
Value = TypeVar("Value")
_logs: list[Path] = []
_begun: dict[Path, float] = {}  # when each module's first test was set up


class Process:
    """A command in a session of its own. What it prints goes to `log`."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, *, folder: Path = ROOT, environment: Any = None
    ) -> None:
        self.command, self.log = [str(word) for word in command], log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        show_if_red(log)

    def __str__(self) -> str:
        status = self._process.poll()
        return f"`{' '.join(self.command)}`{'' if status is None else f' (status {status})'}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def said(self) -> str:
        return self.log.read_text()

    def wait(self) -> int:
        """Its exit status, or minus the signal that ended it."""
        return self._process.wait(PATIENCE)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        """Ask it to end, and wait until it has.

        It is asked again, since pydantic swallows what a signal raises while it asks for a state's kind: one in
        many thousand flows goes on as if nothing had been said.
        """
        try:
            until(self._ends_when_asked, f"{self} ends")
        finally:
            self.kill()

    def _ends_when_asked(self) -> bool:
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)  # one that a test has stopped does not hear it before
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ASKED_AGAIN)
        return self.has_ended

    def kill(self) -> None:
        """SIGKILL, for it and all that it has started in its session."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class Ending(Protocol):
    @property
    def has_ended(self) -> bool: ...


def until(
    condition: Callable[[], Value], what: str, *needed: Ending, patience: float = PATIENCE,
    saw: Callable[[], object] = lambda: "nothing else",
) -> Value:  # fmt: skip
    """The first true value of `condition`. Fails when a process that is needed for it has ended, or out of patience.

    saw: what there was instead, for the message.
    """
    __tracebackhide__ = True  # who waits is shown
    deadline, pause = time.monotonic() + patience, 0.05
    while True:
        ended = [process for process in needed if process.has_ended]
        if value := condition():
            return value
        assert not ended, f"waiting until {what}: {ended[0]} has ended; seen: {saw()}"
        assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}; seen: {saw()}"
        time.sleep(pause)
        pause = min(1.2 * pause, LONGEST_PAUSE)


def free_port() -> int:
    """A port of the loopback address on which nothing listens, for a server that binds it with SO_REUSEADDR, as all do.

    A socket stays bound to it as long as this process lives: until the server is up, nobody else is given this port.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    port: int = kept.getsockname()[1]
    kept.detach()
    return port


def show_if_red(log: Path) -> None:
    """Have the end of this file shown with a test that fails, if it has a part in it, and is among the newest."""
    _logs.append(log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _begun.setdefault(item.path, time.time())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    report: Any = yield
    if report.failed:
        said = {f"end of {log}": log.read_text(errors="replace") for log in _written_since(_begun[item.path])}
        for title, text in (_ended(call.excinfo) | said).items():
            report.sections.append((title, "\n".join(text.splitlines()[-SHOWN_LINES:])))
    if report.when == "teardown":  # what this test's own processes said is not the next one's
        own = getattr(item, "funcargs", {}).get("tmp_path")
        _logs[:] = [log for log in _logs if own not in log.parents]
    return report


def _written_since(begun: float) -> list[Path]:
    """The newest logs that have something in them."""
    states = {log: log.stat() for log in _logs if log.exists()}
    written = [log for log, state in states.items() if state.st_size and state.st_mtime >= begun]
    return sorted(written, key=lambda log: states[log].st_mtime)[-SHOWN_LOGS:]


def _ended(failure: pytest.ExceptionInfo[BaseException] | None) -> dict[str, str]:
    """What the commands said of which the failed test holds the end, and the one that failed it by its exit status."""
    values = [value for entry in failure.traceback for value in entry.locals.values()] if failure else []
    ended: list[tuple[Any, Any]] = [(it.args, it) for it in values if isinstance(it, subprocess.CompletedProcess)]
    if failure and isinstance(failure.value, subprocess.CalledProcessError):
        ended.append((failure.value.cmd, failure.value))
    return {
        f"`{' '.join(map(str, command))}` ended with {it.returncode} and said": _text(it.stdout) + _text(it.stderr)
        for command, it in ended if isinstance(command, list)
    }  # fmt: skip


def _text(output: str | bytes | None) -> str:
    return f"{output.decode(errors='replace') if isinstance(output, bytes) else output or ''}\n"
