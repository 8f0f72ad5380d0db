"""All of one seed's networks on task B: trained by a plan, each scored on B's whole test set."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from tasks.experiment.data.splits import Examples, Problem, TrainingData, available_samples, first_samples, shuffled
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.blueprints import load_blueprint
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.recipe import Network, OnStep, unreported
from tasks.experiment.networks.train_network import Beginning, Body, train_from
from tasks.experiment.randomness import generator
from tasks.experiment.scores import score
from tasks.experiment.study.plan import NOTEBOOK, Arm, Plan


def run_trials(
    problem: Problem, plan: Plan, seed: int, bodies: dict[str, Any], on_step: OnStep = unreported
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(one row per network, the models that the plan wants kept, by arm).

    bodies: the networks whose hidden layers arms start from, by the arms' word for them; A is among them.
    A network that diverges counts with what it answers: the first class, for its NaN is not above anything.
    """
    from tasks.experiment.networks.resident_images import resident_images

    images, parts = resident_images(problem.data), problem.parts()
    test = parts["test"]
    test_images = problem.data.images("test")[test.rows]
    pool = shuffled(parts["pool"], generator(seed, "sample/B")) if plan.resample else parts["pool"]
    bodies = {"random": None} | bodies
    shape = (len(test),) if len(problem.classes) == 2 else (len(test), len(problem.classes))
    unknown = np.full(shape, np.nan, np.float32)
    beginning = Beginning(load_blueprint(problem.start), plan.training, len(problem.classes), seed)

    def train(arm: Arm, examples: Examples) -> Network | None:
        """The arm's network, until the next one is trained; None if it, or the one it starts from, diverged."""
        body = bodies[arm.body]
        if body is None and arm.body != "random":
            return None
        data = TrainingData(images, examples, parts["validation"], len(problem.classes))
        training = plan.training.model_copy(update={"frozen_epochs": arm.frozen_epochs})
        model = beginning.network(Body(body, arm.layers))
        with suppress(DivergedError):
            train_from(model, data, training, seed, task="B", layers=arm.layers, brought=beginning.brought)
            return model
        return None

    rows, kept = [], {}
    affordable = list(_affordable(plan, pool))
    for number, (trial, subset) in enumerate(affordable, start=1):
        model = train(trial.arm, subset)
        scores = score(predict(model, test_images) if model else unknown, test.labels)
        layers = len(hidden_layers(bodies["A"])) if trial.arm.layers is None else trial.arm.layers
        rows.append(
            describe_task(problem)
            | describe_arm(plan, trial.arm)
            | {"layers": layers, "samples": len(subset), "seed": seed}
            | {**scores, "diverged": model is None}
        )
        if trial.keep and model:
            kept[trial.arm.name] = beginning.copy(plan.training.learning_rate)
        if trial.arm.name == "scratch" and "B" not in bodies:  # the first one has the experiment's number of images
            bodies["B"] = beginning.copy(plan.training.learning_rate) if model else None
        on_step(number, len(affordable))
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
