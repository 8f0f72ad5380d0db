"""evaluate: every pair on all of task B's test images, and over the pairs the error reduction with its interval."""

import json
from pathlib import Path

import numpy as np

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.networks.models import Models
from tasks.experiment.results.pairs import replicate, summarize
from tasks.experiment.results.scores import confusion_matrix, decide, predict, score
from tasks.experiment.results.statistics import mcnemar
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
    replicates = []
    for i, seed in enumerate(seeds):
        pair = {
            arm: score(p[i], test.labels) | {"confusion": confusion_matrix(p[i], test.labels)}
            for arm, p in probabilities.items()
        }
        replicates.append(replicate(seed, **pair))
    right = [decide(p[0]) == test.labels for p in probabilities.values()]
    results = summarize(replicates, mcnemar(*right) if len(seeds) == 1 else None)

    def write(folder: Path) -> None:
        (folder / "scores.json").write_text(json.dumps(results, indent=1))
        np.savez(folder / "probabilities.npz", **probabilities)  # type: ignore[arg-type]

    return save("evaluate", write)


def _probabilities(model: Artifact, images: np.ndarray) -> np.ndarray:
    """By the stored model, as anyone would load it."""
    return predict(load_network(model.folder() / "model.keras"), images)
