"""All of one seed's networks on task B: trained by a plan, each scored on B's whole test set."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from tasks.experiment.data.splits import Examples, Problem, TrainingData, available_samples, first_samples, shuffled
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.blueprints import load_blueprint
from tasks.experiment.networks.train_network import Body, train_network
from tasks.experiment.randomness import generator
from tasks.experiment.scores import predict, score
from tasks.experiment.study.plan import NOTEBOOK, Arm, Plan


def run_trials(
    problem: Problem, plan: Plan, seed: int, bodies: dict[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(one row per network, the models that the plan wants kept, by arm).

    bodies: the networks whose hidden layers arms start from, by the arms' word for them; A is among them.
    A network that diverges counts with what it answers: the first class, for its NaN is not above anything.
    """
    import tensorflow as tf

    images, parts = tf.constant(problem.data.images("train")), problem.parts()
    test = parts["test"]
    test_images = problem.data.images("test")[test.rows]
    pool = shuffled(parts["pool"], generator(seed, "sample/B")) if plan.resample else parts["pool"]
    bodies = {"random": None} | bodies
    shape = (len(test),) if len(problem.classes) == 2 else (len(test), len(problem.classes))
    unknown = np.full(shape, np.nan, np.float32)
    blueprint = load_blueprint(problem.start)

    def train(arm: Arm, examples: Examples) -> Any:
        """The arm's network, or None if it, or the one whose body it starts from, diverged."""
        body = bodies[arm.body]
        if body is None and arm.body != "random":
            return None
        data = TrainingData(images, examples, parts["validation"], len(problem.classes))
        training = plan.training.model_copy(update={"frozen_epochs": arm.frozen_epochs})
        with suppress(DivergedError):
            return train_network(blueprint, data, training, seed, task="B", body=Body(body, arm.layers))[0]
        return None

    rows, kept = [], {}
    for trial, subset in _affordable(plan, pool):
        model = train(trial.arm, subset)
        if trial.arm.name == "scratch":
            bodies.setdefault("B", model)  # the plan's first one, with the experiment's number of images
        scores = score(predict(model, test_images) if model else unknown, test.labels)
        layers = len(hidden_layers(bodies["A"])) if trial.arm.layers is None else trial.arm.layers
        rows.append(
            describe_task(problem)
            | describe_arm(plan, trial.arm)
            | {"layers": layers, "samples": len(subset), "seed": seed}
            | {**scores, "diverged": model is None}
        )
        if trial.keep and model:
            kept[trial.arm.name] = model
    return rows, kept


def _affordable(plan: Plan, pool: Examples) -> Iterator[tuple[Any, Examples]]:
    """The trials for which there are enough images, with these images."""
    available = available_samples(pool, balanced=plan.balanced)
    for trial in plan.trials:
        if trial.samples is None:
            yield trial, pool
        elif trial.samples <= available:
            yield trial, first_samples(pool, trial.samples, balanced=plan.balanced)


def describe_task(problem: Problem) -> dict[str, Any]:
    """A row's columns of the target classes, by their numbers."""
    classes: dict[str, Any] = {"classes": " ".join(map(str, problem.classes))}
    if len(problem.classes) == 2:
        classes |= {"negative": problem.classes[0], "positive": problem.classes[1]}
    return classes


def describe_arm(plan: Plan, arm: Arm) -> dict[str, Any]:
    """A row's columns of an arm with the notebook's recipe."""
    return {
        "normalization": plan.normalization, "arm": arm.name, "body": arm.body, "frozen_epochs": arm.frozen_epochs,
        "chosen_by": NOTEBOOK, "learning_rate": plan.training.learning_rate, "epochs": plan.training.epochs,
    }  # fmt: skip
