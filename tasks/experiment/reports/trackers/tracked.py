"""What trackers are told of a finished run, read from its folder: settings, scores, pairs and their epochs."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tasks.experiment.reports.metrics import read_metrics


class TrackedEpoch(NamedTuple):
    """An epoch of one network (A, B_scratch, B_on_A), counted from 1: its losses and accuracies by name."""

    network: str
    number: int
    figures: dict[str, float]


@dataclass(frozen=True)
class TrackedPair:
    """One seed. scores: of scratch and of transfer on the test images, such as scratch/accuracy."""

    seed: int
    scores: dict[str, float]
    epochs: list[TrackedEpoch]


@dataclass(frozen=True)
class TrackedRun:
    """settings: as text, by name. notes: which run it was (see RunDescription). scores: what its pairs come to."""

    name: str
    answer: str
    settings: dict[str, str]
    notes: dict[str, str]
    scores: dict[str, float]
    pairs: list[TrackedPair]


def read_tracked(folder: Path) -> TrackedRun:
    """The run in this folder: an experiment, a study or a recommendation (which has no pairs)."""
    metrics: Any = read_metrics(folder)
    epochs = _read_epochs(folder / "epochs.csv")
    pairs = [
        TrackedPair(
            pair["seed"],
            dict(_numbers({arm: pair[arm] for arm in ("scratch", "transfer")}))
            | dict(_numbers({"error_reduction": pair["error_reduction"]})),
            epochs.get(pair["seed"], []),
        )
        for pair in metrics.get("replicates", ())
    ]
    told = {name: metrics[name] for name in ("error_reduction", "new_images", "test") if name in metrics}
    if "choice" in metrics:
        told["expected"] = metrics["choice"]["expected"]
    return TrackedRun(
        name=folder.name,
        answer=metrics["answer"],
        settings={name: _text(value) for name, value in metrics["experiment"].items()},
        notes={f"headstart.{name}": _text(value) for name, value in metrics["run"].items()},
        scores=dict(_numbers(told)) | ({"pairs": float(len(pairs))} if pairs else {}),
        pairs=pairs,
    )


def _read_epochs(file: Path) -> dict[int, list[TrackedEpoch]]:
    """By seed; of a run that has no such file, none."""
    epochs: dict[int, list[TrackedEpoch]] = {}
    if not file.exists():
        return epochs
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            network, seed, number = row.pop("network"), int(row.pop("seed")), int(row.pop("epoch"))
            figures = {name: float(value) for name, value in row.items() if value}
            epochs.setdefault(seed, []).append(TrackedEpoch(network, number, figures))
    return epochs


def _numbers(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    """Those in nested dicts, by their path."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{name}/")
        elif isinstance(value, int | float):
            yield f"{above}{name}", float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
