"""evaluate: every pair on all of task B's test images, and over the pairs the error reduction with its interval."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.architectures import load_network
from tasks.experiment.networks.models import Models
from tasks.experiment.results.scores import decide, predict, score
from tasks.experiment.results.statistics import error_reduction, error_reduction_interval, mcnemar, wins
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save


@stage()
def evaluate(B: Problem, seeds: list[int], models: Models) -> Artifact:
    """Store scores.json and probabilities.npz (of either arm; see scores.py, with a first axis of pairs)."""
    test = B.parts()["test"]
    images = B.data.images("test")[test.rows]
    probabilities = {
        "scratch": np.stack([_probabilities(model, images) for model in models.B_scratch]),
        "transfer": np.stack([_probabilities(model, images) for model in models.B_on_A]),
    }
    replicates: list[dict[str, Any]] = []
    for i, seed in enumerate(seeds):
        pair = {arm: score(p[i], test.labels) for arm, p in probabilities.items()}
        replicates.append({"seed": seed, **pair, "error_reduction": error_reduction(*_errors([pair]))})
    scratch_errors, transfer_errors = _errors(replicates)
    scores: dict[str, Any] = {
        "replicates": replicates,
        "error_reduction": error_reduction_interval(scratch_errors, transfer_errors),
        "pairs": wins(scratch_errors, transfer_errors),
    }
    if len(seeds) == 1:
        right = [decide(p[0]) == test.labels for p in probabilities.values()]
        scores["mcnemar"] = mcnemar(*right)

    def write(folder: Path) -> None:
        (folder / "scores.json").write_text(json.dumps(scores, indent=1))
        np.savez(folder / "probabilities.npz", **probabilities)  # type: ignore[arg-type]

    return save("evaluate", write)


def _errors(pairs: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Errors of scratch and of transfer, each of shape (pairs,)."""
    scratch, transfer = (np.array([1 - pair[arm]["accuracy"] for pair in pairs]) for arm in ("scratch", "transfer"))
    return scratch, transfer


def _probabilities(model: Artifact, images: np.ndarray) -> np.ndarray:
    """By the stored model, as anyone would load it."""
    return predict(load_network(model.folder() / "model.keras"), images)
