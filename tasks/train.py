"""train_A, train_B_scratch, transfer_B_on_A: one seed each. A seed's pair sees the same images in the same order.

B's networks answer all of its test images here, where they are trained, so that `evaluate` only gathers.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from prefect.logging import get_run_logger

from tasks.experiment.data.splits import Problem, TrainingData
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.blueprints import Blueprint, load_blueprint
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.model_files import load_network, save_model
from tasks.experiment.networks.recipe import Epoch, Network, Training, TunedRecipe
from tasks.experiment.networks.train_network import RANDOM, Body, train_network
from tasks.experiment.networks.tuning.grid import Grid, rates_down_from
from tasks.experiment.scores import Labels, confusion_matrix, score
from tasks.orchestration.stage import stage
from tasks.orchestration.terminal.progress import report_epochs, report_steps
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import write_json

Made = TypeVar("Made")
GRID = Grid()  # what tuning tries, on either side


@stage(run_name="train_A seed {seed}")
def train_A(A: Problem, training: Training, seed: int) -> Artifact:
    """The seed's network of task A; or the trained model that takes A's place, the same for every seed."""
    if A.examples is None:
        return A.start
    return _train("train_A", A, training, seed, task="A", in_ui=True)


@stage(run_name="train_B_scratch seed {seed}")
def train_B_scratch(B: Problem, training: Training, seed: int) -> Artifact:
    """The seed's network of task B, from random initial weights."""
    return _train("train_B_scratch", B, training, seed, task="B")


@stage(run_name="transfer_B_on_A seed {seed}")
def transfer_B_on_A(B: Problem, training: Training, seed: int, model_A: Artifact) -> Artifact:
    """The seed's network of task B, on the hidden layers of the seed's network of task A."""
    return _train("transfer_B_on_A", B, training, seed, task="B", body=model_A)


def _train(
    name: str, problem: Problem, training: Training, seed: int, *,
    task: Literal["A", "B"], body: Artifact | None = None, in_ui: bool = False,
) -> Artifact:  # fmt: skip
    """Train and store one network: model.keras, history.json and, if it was tuned, recipe.json.

    Of task B also what it answers on the test images, probabilities.npy, and how good that is, scores.json.

    in_ui: it takes long enough to be watched there.
    """
    from tasks.experiment.networks.resident_images import resident_images
    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    run_name, parts = f"{name} seed {seed}", problem.parts()
    images, classes = resident_images(problem.data), len(problem.classes)
    data = TrainingData(images, parts["training"], parts["validation"], classes)
    blueprint = load_blueprint(problem.start)
    start = Body(load_network(body.folder() / "model.keras")) if body else RANDOM
    recipe = _tune(run_name, blueprint, data, training, seed, start) if training.tuning == "cv" else None
    rates: Iterable[float] = [training.learning_rate]
    if recipe:
        rates = rates_down_from(recipe["learning_rate"])
        training = training.model_copy(update={"epochs": recipe["epochs"], "frozen_epochs": 0})

    def train_at(rate: float) -> tuple[Network, list[Epoch]]:
        if recipe:
            recipe["learning_rate"] = rate
        at = training.model_copy(update={"learning_rate": rate})
        told = report_epochs(run_name, at, in_ui=in_ui)
        return train_network(blueprint, data, at, seed, task=task, body=start, on_epoch=told)

    try:
        model, epochs = _first_sound(train_at, rates)
    except DivergedError as error:
        raise DivergedError(f"{run_name}: {error}{', and tuning none' if recipe else ''}") from error

    def write(folder: Path) -> None:
        save_model(model, folder / "model.keras")
        write_json(folder / "history.json", [vars(epoch) for epoch in epochs])
        if recipe:
            write_json(folder / "recipe.json", recipe)
        if task == "B":
            _write_answers(folder, model, problem.data.images("test")[parts["test"].rows], parts["test"].labels)

    return save(name, write)


def _write_answers(folder: Path, model: Network, images: NDArray[np.uint8], labels: Labels) -> None:
    probabilities = predict(model, images)
    np.save(folder / "probabilities.npy", probabilities)
    confusion = confusion_matrix(probabilities, labels)
    write_json(folder / "scores.json", score(probabilities, labels) | {"confusion": confusion})


def _first_sound(train_at: Callable[[float], Made], rates: Iterable[float]) -> Made:
    """What training at the first of these rates gives that does not diverge. Raises DivergedError if all do."""
    *higher, lowest = rates
    for rate in higher:
        with suppress(DivergedError):
            return train_at(rate)
    return train_at(lowest)


def _tune(
    name: str, blueprint: Blueprint, data: TrainingData, training: Training, seed: int, start: Body
) -> TunedRecipe:
    """The recipe, which the log tells."""
    from tasks.experiment.networks.tuning.tune_network import tune_network

    log = get_run_logger()
    log.info("choosing learning rate and epochs by cross-validation inside %d images", len(data.training))
    grid = GRID.model_copy(update={"metric": training.metric})
    on_step = report_steps(f"{name}: tuning", "trainings")
    recipe = tune_network(blueprint, data, training, seed, start, grid, on_step)
    log.info(
        "learning rate %g, %d epochs: an error of %.1f %% in cross-validation",
        recipe["learning_rate"], recipe["epochs"], 100 * recipe["error"],
    )  # fmt: skip
    return recipe
