"""One seed's networks by the chosen recipes: trained on all labelled images, scored once, followed step by step."""

import math

import numpy as np

from tasks.experiment.networks.architectures import hidden_layers, transfer_hidden_layers
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.recipe import Network, OnStep, unreported
from tasks.experiment.networks.tuning.grid import rates_down_from
from tasks.experiment.networks.tuning.trajectory import Checkpoint, Labelled, Trajectory, set_weights
from tasks.experiment.scores import Metric, score
from tasks.experiment.study.plan import NOTEBOOK
from tasks.experiment.study.trials import describe_task
from tasks.experiment.study.tuned.choice import Row
from tasks.experiment.study.tuned.plan import Chosen, TunedPlan
from tasks.experiment.study.tuned.starts import Workbench

SPACING = 1.25  # beyond the grid a checkpoint has so many times the epochs of the one before


def train_chosen(
    bench: Workbench, plan: TunedPlan, recipes: list[Chosen], on_step: OnStep = unreported
) -> tuple[list[Row], list[Row]]:
    """(one row per network, scored on the test images; one row per checkpoint of the networks that are followed)."""
    rows, curves = [], []
    for number, chosen in enumerate(recipes, start=1):
        labelled = bench.labelled(chosen.trial.samples)
        checkpoints = {chosen.recipe.epochs}
        if chosen.trial.curve:
            checkpoints |= _to_follow(plan, recipes, labelled, far=chosen.trial.arm.body == "random")
        model, trajectory = _train(bench, plan.grid.metric, chosen, labelled, checkpoints)
        row = _describe(bench, chosen, labelled, model, trajectory.learning_rate if trajectory else None)
        reached = trajectory.reached if trajectory else []
        diverged = any(each.diverged for each in reached if each.epochs == chosen.recipe.epochs)
        rows.append(row | _score(bench, model, diverged=diverged))
        curves += _curve(row, reached) if chosen.trial.curve else []
        on_step(number, len(recipes))
    return rows, curves + _follow_notebook(bench, plan, recipes)


def _train(
    bench: Workbench, metric: Metric, chosen: Chosen, labelled: Labelled, checkpoints: set[int]
) -> tuple[Network, Trajectory | None]:
    """The network at its recipe's epochs, and its trajectory; a mere probe has none."""
    recipe = chosen.recipe
    model = bench.start(chosen.trial.arm, chosen.needed or recipe)(labelled.examples)
    if not chosen.trial.arm.tuned:
        return model, None
    course = bench.course(labelled, bench.test, sorted(checkpoints), metric=metric, keep=recipe.epochs)
    trajectory = course.follow_soundly(model, rates_down_from(recipe.learning_rate))
    set_weights(model, trajectory.weights)
    return model, trajectory


def _to_follow(plan: TunedPlan, recipes: list[Chosen], labelled: Labelled, *, far: bool) -> set[int]:
    """At which epochs: those of the grid, of the notebook's recipe and of each chosen one, to compare at equal steps.

    far: also at so many more as A's training had steps, for the comparison that counts them, and on the way there.
    """
    training = plan.notebook.training
    landmarks = {training.epochs} | {chosen.recipe.epochs for chosen in recipes if chosen.trial.curve}
    landmarks |= {arm.frozen_epochs for arm in plan.followed} - {0}
    checkpoints = {*plan.grid.checkpoints(len(labelled), training.batch_size), *landmarks}
    if not (far and plan.source_steps):
        return checkpoints
    source_epochs = math.ceil(plan.source_steps / math.ceil(len(labelled) / training.batch_size))
    last = max(checkpoints)
    between = last * SPACING ** np.arange(1, max(1, math.log(source_epochs / last, SPACING)))
    return checkpoints | {source_epochs + more for more in landmarks} | {round(epochs) for epochs in between.tolist()}


def _follow_notebook(bench: Workbench, plan: TunedPlan, recipes: list[Chosen]) -> list[Row]:
    """The curves of arms by the notebook's recipe: at its rate they go on beyond its last epoch."""
    training, curves = plan.notebook.training, []
    for arm in plan.followed:
        labelled = bench.labelled(plan.samples)
        model, body = bench.initial(), bench.bodies[arm.body]
        if body is not None:
            transfer_hidden_layers(body, model, arm.layers)
        checkpoints = sorted(_to_follow(plan, recipes, labelled, far=False))
        course = bench.course(labelled, bench.test, checkpoints, metric=plan.grid.metric)
        reached = course.follow(model, training.learning_rate, arm.frozen_epochs).reached
        curves += _curve(
            describe_task(bench.problem)
            | {"samples": len(labelled), "arm": arm.name, "chosen_by": NOTEBOOK, "seed": bench.seed}
            | {"learning_rate": training.learning_rate},
            reached,
        )
    return curves


def _describe(bench: Workbench, chosen: Chosen, labelled: Labelled, model: Network, learning_rate: float | None) -> Row:
    arm, recipe = chosen.trial.arm, chosen.recipe
    return describe_task(bench.problem) | {
        "normalization": bench.plan.normalization, "samples": len(labelled), "arm": arm.name, "body": arm.body,
        "layers": 0 if arm.body == "random" else len(hidden_layers(model)), "frozen_epochs": 0, "seed": bench.seed,
        "chosen_by": chosen.trial.chosen_by, "learning_rate": learning_rate,
        "epochs": recipe.epochs if arm.tuned else None,
    }  # fmt: skip


def _score(bench: Workbench, model: Network, *, diverged: bool) -> Row:
    """A network that diverged counts with what it answers: the first class, for its NaN is not above anything."""
    labels = bench.test.examples.labels
    answers = predict(model, bench.test.images.numpy())
    return {**score(np.full_like(answers, np.nan) if diverged else answers, labels), "diverged": diverged}


def _curve(run: Row, reached: list[Checkpoint]) -> list[Row]:
    """One row per checkpoint, its error and loss on the test images."""
    of_run = {name: run[name] for name in ("classes", "samples", "arm", "chosen_by", "seed", "learning_rate")}
    return [
        of_run | {"steps": at.steps, "epochs": at.epochs, "error": at.error, "loss": None if at.diverged else at.loss}
        for at in reached
    ]


def describe_recipe(bench: Workbench, chosen: Chosen) -> Row:
    """A row of what was chosen: a ChosenRecipe."""
    arm, recipe, labelled = chosen.trial.arm, chosen.recipe, bench.labelled(chosen.trial.samples)
    strength = recipe.learning_rate
    rate, epochs, penalty = (strength, recipe.epochs, None) if arm.tuned else (None, None, strength)
    return {
        "classes": describe_task(bench.problem)["classes"], "arm": arm.name, "samples": len(labelled),
        "chosen_by": chosen.trial.chosen_by, "learning_rate": rate, "epochs": epochs, "penalty": penalty,
        "edge": recipe.edge or None, "extended": chosen.extended,
    }  # fmt: skip
