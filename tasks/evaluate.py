"""evaluate: every pair on all of task B's test images, and over the pairs the error reduction with its interval."""

from pathlib import Path

import numpy as np
from prefect.logging import get_run_logger

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.networks.models import Models
from tasks.experiment.results.pairs import log_look, replicate, summarize
from tasks.experiment.results.statistics.basics import mcnemar
from tasks.experiment.results.statistics.new_images import new_images_interval
from tasks.experiment.results.statistics.sequential import Look
from tasks.experiment.scores import Metric, confusion_matrix, image_errors, score
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json, write_json


@stage()
def evaluate(B: Problem, seeds: list[int], models: Models, look: Look, metric: Metric) -> Artifact:
    """Store scores.json and probabilities.npz (of either arm; see scores.py, with a first axis of pairs).

    look: this one of the looks at the pairs so far, of a run that may stop early. metric: what errors are taken from.
    """
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
        replicates.append(replicate(seed, **pair, metric=metric))
    new_images = one_pair = None
    if metric != "roc_auc":
        scratch, transfer = (
            np.stack([image_errors(metric, answers, test.labels) for answers in p]) for p in probabilities.values()
        )
        new_images = new_images_interval(scratch, transfer, 1 - look.level)
        if metric == "accuracy" and len(seeds) == 1:
            one_pair = mcnemar(scratch[0] == 0, transfer[0] == 0)
    results = summarize(replicates, look, new_images, one_pair, metric)

    def write(folder: Path) -> None:
        write_json(folder / "scores.json", results)
        np.savez(folder / "probabilities.npz", **probabilities)  # type: ignore[arg-type]

    return save("evaluate", write)


def can_tell(scores: Artifact, look: Look) -> bool:
    """Whether these pairs are enough; the log says what was seen, and why the run goes on or ends."""
    return log_look(get_run_logger(), read_json(scores.folder() / "scores.json"), look)


def _probabilities(model: Artifact, images: np.ndarray) -> np.ndarray:
    """By the stored model, as anyone would load it."""
    return predict(load_network(model.folder() / "model.keras"), images)
