"""Where task A comes from: the data set's other classes, another data set, or a trained model of one's own."""

from pathlib import Path
from typing import Any

from prefect import unmapped
from prefect.futures import PrefectFuture

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.errors import DivergedError
from tasks.experiment.settings import Experiment
from tasks.import_model import import_A
from tasks.normalize import normalize
from tasks.storage.artifacts import Artifact
from tasks.train import train_A


def starts(experiment: Experiment, data: DataSet, source: DataSet | None) -> tuple[Artifact, Artifact]:
    """What networks of A and of B are built from: each one's own pixels, or for both the body of the trained model."""
    if source is None:
        path = str(experiment.source_model)
        body = import_A(data, path, fingerprint(Path(path)), experiment.source_layer)
        return body, body
    pixels = normalize(data, experiment.normalization)
    return (pixels if source == data else normalize(source, experiment.normalization)), pixels


def networks_A(
    experiment: Experiment, source: DataSet | None, start: Artifact, examples: Artifact | None, seeds: list[int]
) -> Any:
    """A of each seed, to be trained; or the trained model, the same for all."""
    if source is None:
        return [start] * len(seeds)
    given = unmapped(source), unmapped(start), unmapped(examples), unmapped(experiment.source_training)
    return train_A.map(*given, seeds)


def results(networks: Any) -> list[Artifact]:
    """What was trained, in order; where a training failed its own error is raised."""
    return [network.result() if isinstance(network, PrefectFuture) else network for network in networks]


def results_with(A: Any, B: Any, *, may_diverge: bool) -> tuple[list[Artifact], list[Artifact]]:
    """Networks of A, and what was trained on them. An error of A comes first: it says why B has no result.

    may_diverge: if one of A diverged there is nothing to compare, and no result.
    """
    try:
        trained_A = results(A)
    except DivergedError:
        if may_diverge:
            return [], []
        raise
    return trained_A, results(B)
