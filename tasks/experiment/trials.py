"""All of one seed's networks on task B: trained by a plan, each scored on B's whole test set."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from tasks.experiment import dataset
from tasks.experiment.arms import Arm, Trial
from tasks.experiment.randomness import generator
from tasks.experiment.recipe import Experiment
from tasks.experiment.scores import predict, score
from tasks.experiment.splits import Examples, first_samples, shuffled
from tasks.experiment.training import Pixels, train_network


def run_trials(
    experiment: Experiment, plan: tuple[Trial, ...], parts: dict[str, Examples], pixels: Pixels, seed: int,
    model_A: Any, *, resample_target: bool,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:  # fmt: skip
    """(a row a network, the models that the plan wants kept by arm). parts: task B's, as `load_task` gives them.

    With `resample_target` the seed draws its own images of task B, of which a smaller budget takes the first ones.
    A network that diverges counts with what it answers: NaN is not above 0.5, so all images are called negative.
    """
    import tensorflow as tf

    images, test = tf.constant(dataset.read_images("train")), parts["test"]
    test_images = dataset.read_images("t10k")[test.rows]
    pool = shuffled(parts["pool"], generator(seed, "sample/B")) if resample_target else parts["pool"]
    bodies = {"random": None, "A": model_A}
    rows, kept = [], {}
    for trial, subset in _affordable(plan, pool, experiment.balanced):
        examples = parts | {"train": subset}
        model = _train_arm(experiment, trial.arm, bodies, pixels, images, examples, seed)
        if trial.arm.name == "scratch":
            bodies.setdefault("B", model)  # the plan's first one, with the experiment's number of images
        answers = predict(model, test_images) if model else np.full(len(test), np.nan, np.float32)
        scores = score(answers, test.labels)
        result = {"accuracy": scores["accuracy"], "loss": scores["loss"] if model else None, "diverged": model is None}
        rows.append(_describe(experiment, trial.arm) | {"samples": len(subset), "seed": seed} | result)
        if trial.keep and model:
            kept[trial.arm.name] = model
    return rows, kept


def _affordable(plan: tuple[Trial, ...], pool: Examples, balanced: bool) -> Iterator[tuple[Trial, Examples]]:
    """The trials for which there are enough images, with these images."""
    available = np.bincount(pool.labels, minlength=2).min() if balanced else len(pool)
    for trial in plan:
        if trial.samples is None:
            yield trial, pool
        elif trial.samples <= available:
            yield trial, first_samples(pool, trial.samples, balanced=balanced)


def _train_arm(
    experiment: Experiment, arm: Arm, bodies: dict[str, Any], pixels: Pixels, images: Any,
    examples: dict[str, Examples], seed: int,
) -> Any:  # fmt: skip
    """The arm's network, or None if it, or the one whose body it starts from, diverged."""
    from tasks.experiment.trainer import DivergedError

    body = bodies[arm.body]
    if body is None and arm.body != "random":
        return None
    training = experiment.scratch_training.model_copy(update={"frozen_epochs": arm.frozen_epochs})
    with suppress(DivergedError):
        return train_network(
            training, pixels, images, examples, seed, task="B", classes=2, body=body, layers=arm.layers
        )[0]
    return None


def _describe(experiment: Experiment, arm: Arm) -> dict[str, Any]:
    negative, positive = experiment.target_class_ids
    return {"normalization": experiment.normalization, "negative": negative, "positive": positive, "arm": arm.name,
            "body": arm.body, "layers": arm.layers, "frozen_epochs": arm.frozen_epochs}  # fmt: skip
