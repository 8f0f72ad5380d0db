"""train_A, train_B_scratch, transfer_B_on_A: one seed each.

The pair of a seed sees the same images in the same order.
"""

import json
from pathlib import Path
from typing import Literal

from tasks.experiment import dataset
from tasks.experiment.pixels import load_pixels
from tasks.experiment.recipe import CLASS_NAMES, Training
from tasks.experiment.splits import load_task
from tasks.experiment.store import Artifact, save, save_model
from tasks.progress import report_epochs
from tasks.stage import stage


@stage(run_name="train_A seed {seed}")
def train_A(data: dataset.DataSet, pixels: Artifact, source: Artifact, training: Training, seed: int) -> Artifact:
    return _train("train_A", pixels, source, training, seed, classes=len(CLASS_NAMES) - 2, task="A")


@stage(run_name="train_B_scratch seed {seed}")
def train_B_scratch(
    data: dataset.DataSet, pixels: Artifact, target: Artifact, training: Training, seed: int
) -> Artifact:
    return _train("train_B_scratch", pixels, target, training, seed, classes=2, task="B")


@stage(run_name="transfer_B_on_A seed {seed}")
def transfer_B_on_A(
    data: dataset.DataSet, pixels: Artifact, target: Artifact, training: Training, seed: int, model_A: Artifact
) -> Artifact:
    return _train("transfer_B_on_A", pixels, target, training, seed, classes=2, task="B", body=model_A)


def _train(
    name: str, pixels: Artifact, examples: Artifact, training: Training, seed: int, *,
    task: Literal["A", "B"], classes: int, body: Artifact | None = None,
) -> Artifact:  # fmt: skip
    """Train and store one network: model.keras and history.json."""
    from tasks.experiment.networks import load_network
    from tasks.experiment.trainer import DivergedError, set_threads
    from tasks.experiment.training import train_network

    set_threads()
    run_name = f"{name} seed {seed}"
    try:
        model, history = train_network(
            training, load_pixels(pixels), dataset.read_images("train"), load_task(examples), seed,
            task=task, classes=classes,
            body=body and load_network(body.folder() / "model.keras"),
            on_epoch=report_epochs(run_name, training, in_ui=name == "train_A"),
        )  # fmt: skip
    except DivergedError as error:
        raise DivergedError(f"{run_name}: {error}") from error

    def write(folder: Path) -> None:
        save_model(model, folder / "model.keras")
        (folder / "history.json").write_text(json.dumps([vars(epoch) for epoch in history], indent=1))

    return save(name, write)
