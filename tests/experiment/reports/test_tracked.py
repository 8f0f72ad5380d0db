"""What trackers are told of a run, read from a folder that was written by hand."""

import json
from pathlib import Path

from tasks.experiment.reports.trackers.tracked import TrackedEpoch, read_tracked

METRICS = {
    "answer": "It helps.",
    "experiment": {"dataset": "digits", "target_classes": ["three", "eight"], "source_model": None, "hidden_units": 20},
    "run": {"name": "mine", "commit": None, "flow": "transfer-learning"},
    "error_reduction": {"estimate": 12.5, "low": None, "high": 20, "n": 2},
    "replicates": [
        {"seed": 7, "scratch": {"accuracy": 0.8, "recall": None, "confusion": [[1, 2], [3, 4]]},
         "transfer": {"accuracy": 0.9}, "error_reduction": 50.0, "weights": {"A": "abc"}},
    ],
}  # fmt: skip
EPOCHS = """network,seed,epoch,loss,validation_loss
A,7,1,0.5,0.25
A,8,1,0.4,0.3
B_on_A,7,1,0.2,
"""


def test_a_run(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    (tmp_path / "epochs.csv").write_text(EPOCHS)
    run = read_tracked(tmp_path)
    assert (run.name, run.answer) == (tmp_path.name, "It helps.")
    assert run.settings == {
        "dataset": "digits", "target_classes": '["three", "eight"]', "source_model": "null", "hidden_units": "20",
    }  # fmt: skip
    assert run.notes == {"headstart.name": "mine", "headstart.commit": "null", "headstart.flow": "transfer-learning"}
    assert run.scores == {
        "error_reduction/estimate": 12.5,
        "error_reduction/high": 20,
        "error_reduction/n": 2,
        "pairs": 1,
    }
    (pair,) = run.pairs
    assert pair.seed == 7
    assert pair.scores == {"scratch/accuracy": 0.8, "transfer/accuracy": 0.9, "error_reduction": 50.0}
    assert pair.epochs == [
        TrackedEpoch("A", 1, {"loss": 0.5, "validation_loss": 0.25}),
        TrackedEpoch("B_on_A", 1, {"loss": 0.2}),
    ]


def test_a_recommendation_has_neither_pairs_nor_epochs(tmp_path: Path) -> None:
    own = {"choice": {"expected": {"estimate": 0.9, "low": 0.8}, "chosen": "probe"}, "test": {"accuracy": 0.95}}
    both = {name: METRICS[name] for name in ("answer", "experiment", "run")} | own
    (tmp_path / "metrics.json").write_text(json.dumps(both))
    run = read_tracked(tmp_path)
    assert run.scores == {"test/accuracy": 0.95, "expected/estimate": 0.9, "expected/low": 0.8}
    assert run.pairs == []
