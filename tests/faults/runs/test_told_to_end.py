"""A run that is told to end while it trains."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.processes import until
from tests.support.runs import LONG, QUICK, Lives, run_experiment


@pytest.mark.slow
@pytest.mark.fault(
    "SIGTERM while a network is trained in a thread",
    "the training does not go on to its end; what was done before is not done again",
)
def test_told_to_end(lives: Lives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = tmp_path / "artifacts"
    parameters = {"experiment": LONG.model_dump(mode="json"), "replicates": 1}
    life = lives.start(tmp_path, {"HEADSTART_ARTIFACTS": artifacts}, parameters)
    scratch, training = "'train_B_scratch seed 42' - Finished", "'train_A seed 42' - epoch"
    until(lambda: scratch in life.log and training in life.log, "only A is being trained", life, saw=lambda: life.log)
    os.kill(life.pid, signal.SIGTERM)
    assert life.end() == -signal.SIGTERM
    assert "Told to end" in life.log
    assert "train_A seed 42" not in life.computed
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(artifacts))
    _, states = run_experiment(experiment=QUICK, replicates=1)
    assert states["train_B_scratch seed 42"] == "Cached"
