"""What a person at the keyboard sees: of a first run, and of a study of which half is in the cache."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machine import Machine, machine
from tests.support.processes import Process, until
from tests.support.runs import LONG, QUICK, flags
from tests.support.services import put_database
from tests.support.terminal import in_terminal
from tests.walkthrough import digits

pytestmark = pytest.mark.operations
SMALL = QUICK.vary(dataset="digits.npz", target_classes=(3, 8), target_samples=50)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\")  # colours, the cursor's ways; links


@pytest.fixture
def here(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    with machine(tmp_path) as here:
        digits.write_npz(here.project / "digits.npz")
        for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING"):
            del here.environment[name]  # there is no server yet: a run brings its own
        if "first_run" not in request.node.name:  # which makes the database too
            put_database(Path(here.environment["PREFECT_HOME"]))
        here.environment |= {"COLUMNS": "160", "TERM": "xterm-256color"}
        yield here


def lines_of(here: Machine, *command: str) -> list[str]:
    """All lines that were shown, also those that others replaced."""
    environment = {name: value for name, value in here.environment.items() if name not in ("CI", "GITHUB_ACTIONS")}
    status, shown = in_terminal([sys.executable, "-m", *command, *flags(SMALL)], here.project, environment)
    text = ESCAPES.sub("", shown)
    assert status == 0, text[-3000:]
    assert "\x1b" not in text, f"garbage in the terminal: {text[max(0, text.index(chr(27)) - 80) :][:200]!r}"
    assert "Traceback" not in text
    return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


def first(lines: list[str], what: str) -> int:
    """The number of the first line with that."""
    found = next((number for number, line in enumerate(lines) if what in line), None)
    assert found is not None, f"{what!r} was never shown:\n" + "\n".join(lines[-60:])
    return found


def first_words(lines: list[str]) -> list[str]:
    return [re.split("[: ]", line)[0] for line in lines]


@pytest.mark.fault(
    "a first run in a terminal, with an empty home",
    "no question, no notice, no link that leads nowhere; its lines come in order, and none after the answer",
)
def test_a_first_run(here: Machine) -> None:
    lines = lines_of(here, "flows.transfer_learning", "--replicates", "2")
    assert lines[:2] == ["Starting …", "Starting Prefect's server for this run …"]
    stages = ["Beginning flow run", "'normalize'", "'split'", "'train_A seed 42'", "'evaluate'", "'report'"]
    shown = [first(lines, f"{stage}") for stage in stages]
    assert shown == sorted(shown)
    assert any("epoch" in line or "train_A seed 42" in line for line in lines), lines
    assert first_words(lines[-4:]) == ["Transfer", "Report", "Plots", "Models"]
    for word in ("usage data", "telemetry", "PREFECT_SERVER_ANALYTICS_ENABLED", "View at"):
        assert not [line for line in lines if word in line]
    assert not (Path(here.environment["PREFECT_HOME"]) / "profiles.toml").exists()


@pytest.mark.fault("a study of which half is in the cache", "no time left is told before something was computed")
def test_a_half_cached_study(here: Machine) -> None:
    study = ["flows.study", "--tuned", "false", "--replicates"]
    lines_of(here, *study, "1")
    lines = lines_of(here, *study, "2")
    assert "Finished in state Cached" in lines[first(lines, "'train_arms seed 42' - Finished")]
    computed = first(lines, "'train_A seed 43' - Finished in state Completed")
    bars = [(number, line) for number, line in enumerate(lines) if re.match(r"study\s", line)]
    before = [line for number, line in bars if number < computed]
    assert before, "the study has no bar"
    assert [line for line in before if not line.endswith("-:--:--")] == []  # that is the time left: not known
    counts = [int(re.findall(r"(\d+)/4\b", line)[0]) for _, line in bars]
    assert counts == sorted(counts)
    assert first(lines, "train_arms seed 43 ") < first(lines, "'train_arms seed 43' - Finished")  # a bar of its own
    assert first_words(lines[-4:]) == ["Report", "Plots", "Models", "Runs"]


@pytest.mark.fault(
    "Ctrl-C while a network is trained, with a server of the run's own",
    "training stops, the server learns of it, and the last line says how to go on",
)
def test_ctrl_c(here: Machine) -> None:
    command = [sys.executable, "-m", "flows.transfer_learning", "--replicates", "1", *flags(LONG)]
    run = Process(command, here.folder / "run.log", folder=here.project, environment=here.environment)
    here.started.append(run)
    until(lambda: "'train_A seed 42' - epoch" in run.said(), "A is being trained", run)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does it: all that the run has started gets it too
    assert run.wait() == 1
    lines = run.said().splitlines()
    assert lines[-1] == "Stopped. Run again to go on: what was done is in the cache."
    assert "Finished in state Crashed" in lines[-2]
    assert "Traceback" not in run.said()
