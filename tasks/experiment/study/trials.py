"""All of one seed's networks on task B: trained by a plan, each scored on B's whole test set."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import Examples, first_samples, shuffled
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.architectures import Pixels, hidden_layers
from tasks.experiment.networks.train_network import train_network
from tasks.experiment.randomness import generator
from tasks.experiment.results.scores import predict, score
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import Arm, Trial


def run_trials(
    data: DataSet, experiment: Experiment, plan: tuple[Trial, ...], parts: dict[str, Examples], start: Pixels | Any,
    seed: int, model_A: Any, *, resample_target: bool,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:  # fmt: skip
    """(a row a network, the models that the plan wants kept by arm). parts: task B's, as `load_task` gives them.

    With `resample_target` the seed draws its own images of task B, of which a smaller budget takes the first ones.
    A network that diverges counts with what it answers: the first class, for its NaN is not above anything.
    """
    import tensorflow as tf

    images, test = tf.constant(data.images("train")), parts["test"]
    test_images = data.images("test")[test.rows]
    pool = shuffled(parts["pool"], generator(seed, "sample/B")) if resample_target else parts["pool"]
    bodies = {"random": None, "A": model_A}
    numbers = experiment.target_numbers(data.classes)
    shape = (len(test),) if len(numbers) == 2 else (len(test), len(numbers))
    unknown = np.full(shape, np.nan, np.float32)
    rows, kept = [], {}
    for trial, subset in _affordable(plan, pool, experiment.balanced):
        examples = parts | {"train": subset}
        model = _train_arm(experiment, trial.arm, bodies, start, images, examples, seed)
        if trial.arm.name == "scratch":
            bodies.setdefault("B", model)  # the plan's first one, with the experiment's number of images
        answers = predict(model, test_images) if model else unknown
        result = {**score(answers, test.labels), "diverged": model is None}
        layers = len(hidden_layers(model_A)) if trial.arm.layers is None else trial.arm.layers
        rows.append(
            _describe(experiment, numbers, trial.arm)
            | {"layers": layers}
            | {"samples": len(subset), "seed": seed}
            | result
        )
        if trial.keep and model:
            kept[trial.arm.name] = model
    return rows, kept


def _affordable(plan: tuple[Trial, ...], pool: Examples, balanced: bool) -> Iterator[tuple[Trial, Examples]]:
    """The trials for which there are enough images, with these images."""
    available = np.bincount(pool.labels).min() if balanced else len(pool)
    for trial in plan:
        if trial.samples is None:
            yield trial, pool
        elif trial.samples <= available:
            yield trial, first_samples(pool, trial.samples, balanced=balanced)


def _train_arm(
    experiment: Experiment, arm: Arm, bodies: dict[str, Any], start: Pixels | Any, images: Any,
    examples: dict[str, Examples], seed: int,
) -> Any:  # fmt: skip
    """The arm's network, or None if it, or the one whose body it starts from, diverged."""
    body = bodies[arm.body]
    if body is None and arm.body != "random":
        return None
    training = experiment.scratch_training.model_copy(update={"frozen_epochs": arm.frozen_epochs})
    with suppress(DivergedError):
        return train_network(
            training, start, images, examples, seed,
            task="B", classes=len(experiment.target_classes), body=body, layers=arm.layers,
        )[0]  # fmt: skip
    return None


def _describe(experiment: Experiment, numbers: tuple[int, ...], arm: Arm) -> dict[str, Any]:
    classes: dict[str, Any] = {"classes": " ".join(map(str, numbers))}
    if len(numbers) == 2:
        classes |= {"negative": numbers[0], "positive": numbers[1]}
    return {"normalization": experiment.normalization, **classes, "arm": arm.name,
            "body": arm.body, "frozen_epochs": arm.frozen_epochs}  # fmt: skip
