"""train_A, train_B_scratch, transfer_B_on_A: one seed each.

The pair of a seed sees the same images in the same order.
"""

import json
from pathlib import Path

from tasks.experiment import dataset
from tasks.experiment.pixels import load_pixels
from tasks.experiment.randomness import generator
from tasks.experiment.recipe import CLASS_NAMES, Training
from tasks.experiment.splits import load_task
from tasks.experiment.store import Artifact, save, save_model
from tasks.progress import report_epochs
from tasks.stage import stage


@stage(run_name="train_A seed {seed}")
def train_A(data: dataset.DataSet, pixels: Artifact, source: Artifact, training: Training, seed: int) -> Artifact:
    return _train("train_A", pixels, source, training, seed, classes=len(CLASS_NAMES) - 2, order="A")


@stage(run_name="train_B_scratch seed {seed}")
def train_B_scratch(
    data: dataset.DataSet, pixels: Artifact, target: Artifact, training: Training, seed: int
) -> Artifact:
    return _train("train_B_scratch", pixels, target, training, seed, classes=2, order="B")


@stage(run_name="transfer_B_on_A seed {seed}")
def transfer_B_on_A(
    data: dataset.DataSet, pixels: Artifact, target: Artifact, training: Training, seed: int, model_A: Artifact
) -> Artifact:
    return _train("transfer_B_on_A", pixels, target, training, seed, classes=2, order="B", body=model_A)


def _train(
    name: str,
    pixels: Artifact,
    task: Artifact,
    training: Training,
    seed: int,
    *,
    classes: int,
    order: str,
    body: Artifact | None = None,
) -> Artifact:
    """Build, train and store one network: model.keras (compiled, so that `evaluate` works) and history.json."""
    import keras

    from tasks.experiment.networks import build_network, hidden_layers, transfer_hidden_layers
    from tasks.experiment.trainer import set_threads, train

    set_threads()
    examples = load_task(task)
    model = build_network(training, classes, *load_pixels(pixels), seed)
    if body:
        transfer_hidden_layers(keras.saving.load_model(body.folder() / "model.keras"), model)

    history = train(
        model,
        dataset.read_images("train"),
        examples["train"],
        examples["valid"],
        learning_rate=training.learning_rate,
        batch_size=training.batch_size,
        epochs=training.epochs,
        order=generator(seed, f"order/{order}"),
        frozen_epochs=training.frozen_epochs,
        frozen_layers=tuple(layer.name for layer in hidden_layers(model)),
        on_epoch=report_epochs(f"{name} seed {seed}", training, in_ui=name == "train_A"),
    )
    loss = "binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy"
    model.compile(optimizer=keras.optimizers.SGD(training.learning_rate, name="sgd"), loss=loss, metrics=["accuracy"])

    def write(folder: Path) -> None:
        save_model(model, folder / "model.keras")
        (folder / "history.json").write_text(json.dumps([vars(epoch) for epoch in history], indent=1))

    return save(name, write)
