"""train_A, train_B_scratch, transfer_B_on_A: one seed each.

The pair of a seed sees the same images in the same order. `start` is what a network is built from: what `normalize`
stored, or the body that `import_A` did.
"""

import json
from pathlib import Path
from typing import Literal

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import TrainingData, class_count, load_task
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.blueprints import load_blueprint
from tasks.experiment.networks.model_files import load_network, save_model
from tasks.experiment.networks.recipe import Training
from tasks.experiment.networks.train_network import RANDOM, Body, train_network
from tasks.orchestration.progress import report_epochs
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save


@stage(run_name="train_A seed {seed}")
def train_A(data: DataSet, start: Artifact, source: Artifact, training: Training, seed: int) -> Artifact:
    return _train("train_A", data, start, source, training, seed, task="A")


@stage(run_name="train_B_scratch seed {seed}")
def train_B_scratch(data: DataSet, start: Artifact, target: Artifact, training: Training, seed: int) -> Artifact:
    return _train("train_B_scratch", data, start, target, training, seed, task="B")


@stage(run_name="transfer_B_on_A seed {seed}")
def transfer_B_on_A(
    data: DataSet, start: Artifact, target: Artifact, training: Training, seed: int, model_A: Artifact
) -> Artifact:
    return _train("transfer_B_on_A", data, start, target, training, seed, task="B", body=model_A)


def _train(
    name: str, data: DataSet, start: Artifact, examples: Artifact, training: Training, seed: int, *,
    task: Literal["A", "B"], body: Artifact | None = None,
) -> Artifact:  # fmt: skip
    """Train and store one network: model.keras and history.json."""
    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    run_name, parts = f"{name} seed {seed}", load_task(examples)
    try:
        model, history = train_network(
            load_blueprint(start),
            TrainingData(data.images("train"), parts["train"], parts["valid"], class_count(parts)), training, seed,
            problem=task, body=Body(load_network(body.folder() / "model.keras")) if body else RANDOM,
            on_epoch=report_epochs(run_name, training, in_ui=name == "train_A"),
        )  # fmt: skip
    except DivergedError as error:
        raise DivergedError(f"{run_name}: {error}") from error

    def write(folder: Path) -> None:
        save_model(model, folder / "model.keras")
        (folder / "history.json").write_text(json.dumps([vars(epoch) for epoch in history], indent=1))

    return save(name, write)
