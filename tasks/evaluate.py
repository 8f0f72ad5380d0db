"""evaluate: every pair on all of task B's test images, and over the pairs the error reduction with its interval."""

import json
from pathlib import Path

import numpy as np

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import load_task
from tasks.experiment.networks.architectures import load_network
from tasks.experiment.results.pairs import replicate, summarize
from tasks.experiment.results.scores import confusion_matrix, decide, predict, score
from tasks.experiment.results.statistics import mcnemar
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save


@stage()
def evaluate(
    data: DataSet, target: Artifact, seeds: list[int], scratch: list[Artifact], transfer: list[Artifact]
) -> Artifact:
    """Store scores.json and probabilities.npz (of either arm; see scores.py, with a first axis of pairs)."""
    test = load_task(target)["test"]
    images = data.images("test")[test.rows]
    probabilities = {
        "scratch": np.stack([_probabilities(model, images) for model in scratch]),
        "transfer": np.stack([_probabilities(model, images) for model in transfer]),
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
