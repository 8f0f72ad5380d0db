"""`make bench` measures the same rows with --quick, and scales to the same figures; nothing is timed here."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.benchmarks import __main__ as bench
from tests.benchmarks.effort import FULL, QUICK, Effort
from tests.benchmarks.parts import contestants, judged, large_body, processes
from tests.benchmarks.parts.peers import PEERS, peer_rows
from tests.benchmarks.rows import Row, in_turn, show

START, EPOCH, TARGET, PEAK = 30.0, 2.5, 6.0, 1000.0  # seconds of a process, an epoch of A, and B; MiB


class Linear:
    """Commands that would take this long: a start, and so much for each epoch or replicate."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def measured(self, command: list[str], **environment: str) -> tuple[float, float, str]:
        taken, output = START, ""
        if "--epochs" in command:
            cells = 1.5 + EPOCH * int(command[-1])
            taken += cells + TARGET
            output = json.dumps({"seconds": {"A": cells, "B": TARGET, "later epoch of A": EPOCH}})
        elif "--replicates" in command:
            taken += int(command[-1])
        elif contestants.__name__ in command:
            unfrozen, epochs = f"unfrozen {contestants.SEEDS - 1}", int(command[-1])
            once = {"features": (3.0, 6.0), "frozen 0": (1.0, 1.5), "unfrozen 0": (40.0, 50.0)}
            trained = {unfrozen: (10 + EPOCH * epochs, 20.0 * epochs), f"later epoch {unfrozen}": (EPOCH, 20.0)}
            output = json.dumps(once | trained)
            taken += 50 + EPOCH * epochs
        self.seconds.append(taken)
        return taken, PEAK, output


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> Linear:
    here = Linear()
    for module in (processes, large_body):
        monkeypatch.setattr(module, "measured", here.measured)
    monkeypatch.setattr(large_body, "write_model", lambda path: None)
    monkeypatch.setattr(processes, "server", lambda folder: nullcontext(SimpleNamespace(api="")))
    return here


def rows_of(effort: Effort) -> list[dict[str, Any]]:
    rows, script = processes.whole_flow(effort)
    assert script == {"whole": 87.5, "A": 51.5, "B": 6.0}  # A: 1.5 to compile and 20 epochs
    return [row.described() for row in rows + large_body.large_body(effort)]


def test_quick_has_the_rows_of_the_whole_bench_from_half_of_the_work(linear: Linear) -> None:
    full = rows_of(FULL)
    whole, linear.seconds = sum(linear.seconds), []
    assert rows_of(QUICK) == full  # what costs grow with is linear here, so that scaling errs by nothing
    assert sum(linear.seconds) < whole / 2
    ratios = {row["what"]: row["ratio"] for row in full if "ratio" in row}
    assert ratios["whole flow cold, 5 replicates"] == 35 / 87.5
    assert [row["figure"] for row in full if row["what"] == "large body, unfrozen part, 20 epochs"] == [60]
    assert ratios["whole flow cold, 29 pairs (scaled from 1 and 5)"] == 29 * 57.5 / (30 + 29)


def test_whoever_reads_the_table_or_the_file_sees_that_it_was_quick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = Row("an epoch", 2.0)
    monkeypatch.setattr(bench, "SourceTask", lambda: None)
    monkeypatch.setattr(bench, "whole_flow", lambda effort: ([Row("the flow", effort.source_epochs)], {}))
    monkeypatch.setattr(bench, "epoch_of_a", lambda task, rounds: ([done], done))
    for part in ("large_body", "recommendation", "target_pair", "roofline", "cross_validation"):
        monkeypatch.setattr(bench, part, lambda *_, part=part: [Row(part, 1.0)])
    found = {}
    for flags in ((), ("--quick",)):
        file = tmp_path / "bench.json"
        monkeypatch.setattr(sys, "argv", ["make bench", *flags, "--json", str(file)])
        bench.main()
        found[flags] = json.loads(file.read_text()), capsys.readouterr().out
    (full, shown), (quick, shown_quick) = found.values()
    assert (full["quick"], quick["quick"]) == (False, True)
    assert "QUICK" in shown_quick
    assert "QUICK" not in shown
    assert [row["what"] for row in full["rows"]] == [row["what"] for row in quick["rows"]]
    assert (full["rows"][0]["figure"], quick["rows"][0]["figure"]) == (20, 4)


def test_the_recommendation_is_asked_less_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(judged, "measured", lambda command, **_: commands.append(command) or (60.0, PEAK, ""))
    (full, peak), (quick, same_peak) = judged.recommendation(FULL), judged.recommendation(QUICK)
    assert commands[1] == [*commands[0], "--question.quick"]
    assert (full.what, peak) == (quick.what, same_peak)
    assert (full.goal, full.note, quick.goal) == (180, "", None)
    assert "not scaled" in quick.note


def test_contestants_take_turns_and_the_warm_up_does_not_count() -> None:
    order: list[str] = []

    def contestant(name: str, *figures: float) -> Callable[[], float]:
        left = iter(figures)
        return lambda: order.append(name) or next(left)  # type: ignore[func-returns-value]

    assert in_turn(3, a=contestant("a", 100, 1, 3, 2), b=contestant("b", 100, 5, 5, 50)) == {"a": 2, "b": 5}
    assert order == ["a", "b"] * 4
    assert in_turn(1, warm_up=False, a=contestant("a", 7)) == {"a": 7}


def test_a_row_compares_itself_with_another_one(capsys: pytest.CaptureFixture[str]) -> None:
    keras = Row("by Keras", 6.0)
    rows = [
        keras,
        Row("by us", 1.5, "times faster", keras, goal=3),
        Row("by them", 9.0, "times slower", keras),
        Row("in turn", 3.0, "share of its time", keras, note="of one run"),
        Row("memory", 800.0, unit="MiB"),
    ]
    assert [row.ratio for row in rows] == [None, 4, 1.5, 0.5, None]
    assert rows[1].described() == {
        "what": "by us", "figure": 1.5, "unit": "s", "compared": "times faster", "against": "by Keras", "ratio": 4,
        "goal": 3,
    }  # fmt: skip
    show(rows, QUICK.title)
    shown = capsys.readouterr().out
    for told in (
        "QUICK",
        "1.500 s",
        "4.00 × faster than by Keras",
        "0.50 of the time of by Keras; of one run",
        "800 MiB",
    ):
        assert told in shown


def test_a_peer_is_compared_with_each_way_to_train_or_not_installed() -> None:
    one, two = Row("one", 2.0), Row("two side by side", 1.0)
    rows = peer_rows({"JAX jit + scan": 3.0}, [one, two])
    assert [row.ratio for row in rows if row.figure] == [1.5, 3]
    missing = [row.what for row in rows if row.figure is None]
    assert missing == [f"epoch of A: {name}" for name, *_ in PEERS if name != "JAX jit + scan"]
    assert [row for row in rows if row.figure is None and "make peers" not in row.note] == []
