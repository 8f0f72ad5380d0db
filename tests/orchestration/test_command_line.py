"""What the commands say of themselves."""

import importlib
import os
import re
import subprocess
import sys

import pytest

from flows.study import transfer_study
from flows.transfer_learning import transfer_learning
from tasks.experiment.networks.bodies.pixels import Standardized
from tasks.orchestration.terminal.command_line import parse_parameters
from tasks.storage.roots import ROOT, version

FLOWS = {"transfer_learning", "study", "recommend"}  # their flags are parse_parameters'
COMMANDS = sorted({file.stem for file in (ROOT / "flows").glob("*.py")} - FLOWS - {"__init__"})


def said(flow: object, flag: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["flow", flag])
    with pytest.raises(SystemExit) as end:
        parse_parameters(flow, "flows.flow")  # type: ignore[arg-type]
    assert not end.value.code
    return " ".join(capsys.readouterr().out.split())


def test_help_shows_ranges_defaults_and_plain_types(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(transfer_learning, "--help", monkeypatch, capsys)
    for line in (
        "--replicates INTEGER Number of pairs of runs, one per seed. (1 to 100,000; default: 5)",
        "--experiment.learning-rate NUMBER Step size of plain SGD. (above 0, at most 10; default: 0.001)",
        "(at least 1; default: empty)",
        'the positive one. (default: ["T-shirt/top", "Pullover"])',
        "--refresh [true|false] Ignore the cache and recompute everything. (default: false)",
    ):
        assert line in text
    assert "--experiment [JSON] The settings below as one JSON object." in text
    assert (
        "--experiment.source-pixels [{0-255,0-1,-1-1}|JSON] One of these, or the settings below as one JSON object. "
        "(default: empty)" in text
    )
    assert "--experiment.source-pixels.mean JSON-LIST Of pixels of 0 to 1; one, or one per channel." in text
    for technical in ("null", "None", "tuple", "Union", "ifdef", "JSON string"):
        assert technical not in text
    assert "--pair-replicates INTEGER" in said(transfer_study, "--help", monkeypatch, capsys)


@pytest.mark.parametrize(
    ("flags", "pixels"),
    [
        (["--experiment.source-pixels", "0-1"], "0-1"),
        (["--experiment.source-pixels=-1-1"], "-1-1"),
        (["--experiment.source-pixels", "−1–1"], "-1-1"),
        (["--experiment.source-pixels.mean", "0.4,0.5,0.6", "--experiment.source-pixels.std", "0.2,0.2,0.3"],
         Standardized(mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.3))),
        (["--experiment.source-pixels", '{"mean": [0.5], "std": [0.5]}'], Standardized(mean=(0.5,), std=(0.5,))),
    ],
)  # fmt: skip
def test_pixels_of_a_model_as_flags(flags: list[str], pixels: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["flow", "--experiment.source-model", "m.keras", *flags])
    assert parse_parameters(transfer_learning, "flows.flow")["experiment"].source_pixels == pixels


@pytest.mark.parametrize(
    "flags",
    [
        ["--experiment.source-pixels", "0-2"],
        ["--experiment.source-pixels.mean", "0.4"],
        ["--experiment.source-pixels.mean", "0.4,0.5", "--experiment.source-pixels.std", "1"],
        ["--experiment.source-pixels.mean", "0.4", "--experiment.source-pixels.std", "0"],
    ],
)
def test_other_pixels_are_refused_in_one_sentence(
    flags: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["flow", "--experiment.source-model", "m.keras", *flags])
    with pytest.raises(SystemExit):
        parse_parameters(transfer_learning, "flows.flow")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("experiment.source_pixels: give 0-255, 0-1, -1-1, or a mean and a positive std, one of each")


def test_what_a_study_cant_use_is_refused_before_there_is_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["flow", "--experiment.tuning", "cv", "--replicates", "0"])
    with pytest.raises(SystemExit):
        parse_parameters(transfer_study, "flows.study")
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("experiment: a study tunes arms of its own")
    assert second.startswith("replicates: ")


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(transfer_learning, "--version", monkeypatch, capsys) == version()
    assert re.fullmatch(r"headstart \d+\.\d+\.\d+", version())


@pytest.mark.parametrize("flag", ["--version", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_and_starts_nothing(
    command: str, flag: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [command, flag])
    with pytest.raises(SystemExit) as end:
        importlib.import_module(f"flows.{command}").main()
    assert not end.value.code
    text = capsys.readouterr().out
    assert text.startswith(version() if flag == "--version" else f"usage: python -m flows.{command} [-h] [--version]")


def test_make_help_says_what_each_target_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    # CI runs the tests under another make, whose flags would let this one say which folder it enters.
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    listed = subprocess.run(["make", "help"], cwd=ROOT, env=alone, capture_output=True, text=True, check=True).stdout
    lines = listed.splitlines()
    described = dict(line.split(maxsplit=1) for line in lines)
    assert set(described) == set(targets)


def test_who_reads_may_leave_early() -> None:
    """As `head` does."""
    script = (
        "from tasks.orchestration.terminal.command import reader_may_leave as may\nwith may(): print('y\\n' * 99999)"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stderr
        assert writer.stdout.readline() == b"y\n"
        writer.stdout.close()
        said = writer.stderr.read()
    assert (writer.returncode, said) == (0, b"")
