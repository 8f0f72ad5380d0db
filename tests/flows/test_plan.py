"""`python -m flows.plan`, on runs as they are kept."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from flows.plan import main
from tests.support.studies import REAL


@pytest.fixture
def latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    keep(tmp_path / "latest", *REAL)
    return tmp_path / "latest"


def keep(run: Path, scratch: np.ndarray, transfer: np.ndarray) -> None:
    run.mkdir()
    pairs = [
        {"scratch": {"accuracy": 1 - s}, "transfer": {"accuracy": 1 - t}}
        for s, t in zip(scratch, transfer, strict=True)
    ]
    (run / "metrics.json").write_text(json.dumps({"replicates": pairs}))


def planned(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["plan", *arguments])
    main()


def test_from_the_latest_run(latest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    planned(monkeypatch, "--effect", "10")
    assert capsys.readouterr().out.splitlines() == [
        "Seen: error reduction 25.4 % in 100 pairs. The fewer they are, the rougher is this plan.",
        "An effect of 10.0 % is seen in 90 % of studies with 54 pairs.",
        "The 95 % interval is about ± 5 points wide with 49 pairs.",
    ]


def test_from_another_run_the_effect_that_it_saw(
    latest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(latest.with_name("few"), REAL[0][:5], REAL[1][:5])
    planned(monkeypatch, str(latest.with_name("few")), "--half-width", "0.1")
    said = capsys.readouterr().out
    assert "An effect of 32.6 % is seen in 90 % of studies with 14 pairs." in said
    assert "± 0.1 points wide with more than 1,000 pairs" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere holds no finished run: give a folder that has a metrics.json"),
        (["--power", "1"], "give a power between 0 and 1"),
        (["{single}"], "has 1 pair: give a run with 2 or more"),
    ],
)
def test_what_can_not_be_planned_is_said_in_one_sentence(
    latest: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    single = latest.with_name("single")
    keep(single, REAL[0][:1], REAL[1][:1])
    with pytest.raises(SystemExit, match=says):
        planned(monkeypatch, *(argument.format(single=single) for argument in arguments))
