"""Several flows at the same time on one artifacts folder."""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.checks import assert_latest_is_whole, assert_nothing_lost, kept
from tests.support.processes import until
from tests.support.runs import QUICK, Life, Lives, run_experiment


def all_end(lives: list[Life]) -> Counter[str]:
    """How many processes computed each task run."""
    assert [life.end() for life in lives] == [0] * len(lives)
    return Counter(name for life in lives for name in life.computed)


@pytest.mark.fault("four flows with the same parameters at the same time", "each artifact is computed once")
@pytest.mark.slow
def test_same_parameters(lives: Lives, baseline: tuple[Path, dict], tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    at_once = [lives.start(tmp_path, {"HEADSTART_ARTIFACTS": artifacts}) for _ in range(4)]
    assert {name: times for name, times in all_end(at_once).items() if times != 1} == {}
    for life in at_once:
        assert life.metrics == baseline[1]
    assert kept(artifacts) == kept(baseline[0])
    assert_latest_is_whole(artifacts)


@pytest.mark.slow
@pytest.mark.fault(
    "four flows with different parameters at the same time",
    "what they share is computed once; each gives its metrics",
)
def test_different_parameters(lives: Lives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = tmp_path / "artifacts"
    samples = [50, 100, 150, 200]
    at_once = [
        lives.start(
            tmp_path,
            {"HEADSTART_ARTIFACTS": artifacts},
            {"experiment": QUICK.model_dump(mode="json") | {"target_samples": n}},
        )
        for n in samples
    ]
    computed = all_end(at_once)
    assert [computed[name] for name in ("download", "normalize", "train_A seed 42", "train_A seed 43")] == [1] * 4
    assert [computed[name] for name in ("split", "train_B_scratch seed 42", "report")] == [4] * 3
    assert_latest_is_whole(artifacts)
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
    for n, life in zip(samples, at_once, strict=True):
        metrics, states = run_experiment(experiment=QUICK.model_copy(update={"target_samples": n}))
        assert metrics == life.metrics
        assert set(states.values()) == {"Cached"}


@pytest.mark.fault(
    "{how} while it holds a record's lock and another one waits", "the other one then goes on and finishes"
)
@pytest.mark.parametrize(
    "how", ["a flow killed by kill -9", pytest.param("a flow stopped for a time", marks=pytest.mark.slow)]
)
def test_holder_of_a_lock(
    how: str, lives: Lives, artifacts_copy: Path, baseline: tuple[Path, dict], tmp_path: Path
) -> None:
    for record in artifacts_copy.glob("cache/evaluate-*"):
        record.unlink()
    environment = {"HEADSTART_ARTIFACTS": artifacts_copy}
    holder = lives.start(tmp_path, environment, freeze_at="open w .*/artifact/scores.json")
    until(lambda: holder.state == "T", "the first flow has stopped with the lock", holder)
    waiting = lives.start(tmp_path, environment)
    waits = "Task run 'evaluate' - This is being computed elsewhere: waiting for it"
    until(lambda: waits in waiting.log, "the second flow waits for the lock", waiting)
    os.kill(holder.pid, signal.SIGKILL if "kill" in how else signal.SIGCONT)
    assert holder.end() == (-9 if "kill" in how else 0)
    assert waiting.end() == 0
    assert waiting.computed == (["evaluate"] if "kill" in how else [])
    assert waiting.metrics == baseline[1]
    assert_nothing_lost(artifacts_copy, baseline)
