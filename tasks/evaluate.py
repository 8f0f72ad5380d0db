"""evaluate: every pair on all of task B's test images, and over the pairs the error reduction with its interval."""

import numpy as np
from prefect.logging import get_run_logger

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.models import Models
from tasks.experiment.results.pairs import log_look, replicate, summarize
from tasks.experiment.results.statistics.basics import mcnemar
from tasks.experiment.results.statistics.new_images import new_images_interval
from tasks.experiment.results.statistics.sequential import Look
from tasks.experiment.scores import Metric, image_errors
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json, write_json


@stage()
def evaluate(B: Problem, seeds: list[int], models: Models, look: Look, metric: Metric) -> Artifact:
    """Gather what each network scored where it was trained, and store what the pairs come to: scores.json.

    look: this one of the looks at the pairs so far, of a run that may stop early. metric: what errors are taken from.
    """
    test = B.parts()["test"]
    arms = {"scratch": models.B_scratch, "transfer": models.B_on_A}
    scores = {
        arm: [read_json(network.folder() / "scores.json") for network in networks] for arm, networks in arms.items()
    }
    replicates = [
        replicate(seed, scratch, transfer, metric)
        for seed, scratch, transfer in zip(seeds, scores["scratch"], scores["transfer"], strict=True)
    ]
    new_images = one_pair = None
    if metric != "roc_auc":
        scratch, transfer = (
            np.stack(
                [
                    image_errors(
                        metric, np.load(network.folder() / "probabilities.npy", allow_pickle=False), test.labels
                    )
                    for network in networks
                ]
            )
            for networks in arms.values()
        )
        new_images = new_images_interval(scratch, transfer, 1 - look.level)
        if metric == "accuracy" and len(seeds) == 1:
            one_pair = mcnemar(scratch[0] == 0, transfer[0] == 0)
    results = summarize(replicates, look, new_images, one_pair, metric)
    return save("evaluate", lambda folder: write_json(folder / "scores.json", results))


def can_tell(scores: Artifact, look: Look) -> bool:
    """Whether these pairs are enough; the log says what was seen, and why the run goes on or ends."""
    return log_look(get_run_logger(), read_json(scores.folder() / "scores.json"), look)
