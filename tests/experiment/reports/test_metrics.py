"""metrics.json, as later nights and readers of tables find it."""

import json
from pathlib import Path

import pytest

from tasks.experiment.reports.metrics import earlier_nights, table_of_pairs
from tasks.experiment.results.pairs import replicate
from tasks.experiment.settings import Experiment


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    return tmp_path


def write_run(root: Path, name: str, time: str, experiment: Experiment, seeds: list[int], verdict: object) -> None:
    folder = root / "runs" / name
    folder.mkdir(parents=True)
    metrics = {
        "experiment": experiment.model_dump(mode="json"),
        "replicates": [
            {"seed": seed, "scratch": {"accuracy": 0.8}, "transfer": {"accuracy": 0.85}, "weights": {"A": name}}
            for seed in seeds
        ],
        "error_reduction": {"estimate": 25.0, "low": 20.0, "high": 30.0},
        "environment": {"keras": "3.15"},
        "code": {"tasks.train": "aa"},
        "verdict": verdict,
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "run.json").write_text(json.dumps({"time": time, "artifacts": []}))


def test_only_comparable_nights_count_oldest_first(root: Path) -> None:
    quick = Experiment(source_epochs=1)
    write_run(root, "a-later", "2026-01-03T02:00:00+00:00", quick, [42, 43], {"name": "Reproduced", "reason": ""})
    write_run(root, "b-first", "2026-01-02T02:00:00+00:00", quick, [42, 43], {"name": "First", "reason": ""})
    write_run(root, "by-day", "2026-01-02T12:00:00+00:00", quick, [42, 43], None)
    write_run(root, "other-seeds", "2026-01-02T12:00:00+00:00", quick, [43, 44], {"name": "First", "reason": ""})
    write_run(root, "other", "2026-01-02T12:00:00+00:00", Experiment(), [42, 43], {"name": "First", "reason": ""})
    write_run(root, "damaged", "2026-01-02T12:00:00+00:00", quick, [42, 43], {"name": "First", "reason": ""})
    (root / "runs/damaged/metrics.json").write_text("{")
    write_run(root, "older-version", "2026-01-02T12:00:00+00:00", quick, [42, 43], {"name": "First", "reason": ""})
    (root / "runs/older-version/metrics.json").write_text("[]")
    nights = earlier_nights(quick, [42, 43])
    assert [(night.run, night.date) for night in nights] == [("b-first", "2026-01-02"), ("a-later", "2026-01-03")]
    assert nights[0].made_with == {"keras": "3.15", "tasks.train": "aa"}


def test_a_night_before_there_was_a_setting_had_its_default(root: Path) -> None:
    write_run(root, "older", "2026-01-02T02:00:00+00:00", Experiment(), [42], {"name": "First", "reason": ""})
    file = root / "runs/older/metrics.json"
    metrics = json.loads(file.read_text())
    del metrics["experiment"]["tuning"]
    file.write_text(json.dumps(metrics))
    assert [night.run for night in earlier_nights(Experiment(), [42])] == ["older"]
    assert not earlier_nights(Experiment(tuning="cv"), [42])


def test_a_table_of_pairs_has_every_metric_of_either_arm() -> None:
    balance = {"balanced_accuracy": 0.7, "roc_auc": 0.75}
    scratch = {"accuracy": 0.8, "loss": 0.5, "confusion": [[8, 2], [2, 8]], **balance}
    transfer = {"accuracy": 0.9, "loss": None, **balance}
    assert table_of_pairs([replicate(42, scratch, transfer)]) == [
        {
            "seed": 42, "scratch accuracy": 0.8, "transfer accuracy": 0.9, "scratch balanced accuracy": 0.7,
            "transfer balanced accuracy": 0.7, "scratch ROC AUC": 0.75, "transfer ROC AUC": 0.75, "scratch loss": 0.5,
            "transfer loss": None,
            "error reduction in %": pytest.approx(50),
        }
    ]  # fmt: skip


def test_a_table_of_very_many_pairs_is_cut() -> None:
    arm = {"accuracy": 0.5, "balanced_accuracy": 0.5, "roc_auc": 0.5, "loss": 1.0}
    assert [row["seed"] for row in table_of_pairs([replicate(seed, arm, arm) for seed in range(1001)])] == [
        *range(1000)
    ]
