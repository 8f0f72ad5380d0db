"""One network of a replicate: build it, let it start from another's hidden layers, train it.

A network is built from where it starts: from what normalizes pixels (then it is the experiment's own network), or from
a body that was trained elsewhere.
"""

from collections.abc import Callable
from typing import Any, Literal

from tasks.experiment.data.pixels import load_pixels
from tasks.experiment.data.splits import Examples
from tasks.experiment.networks.architectures import Pixels, load_network
from tasks.experiment.networks.recipe import Training
from tasks.experiment.randomness import generator
from tasks.storage.artifacts import Artifact


def load_start(artifact: Artifact) -> Pixels | Any:
    """What a network is built from: mean and standard deviation of pixels, or a body."""
    if (artifact.folder() / "model.keras").exists():
        return load_network(artifact.folder() / "model.keras")
    return load_pixels(artifact)


def train_network(
    training: Training,
    start: Pixels | Any,
    images: Any,
    examples: dict[str, Examples],
    seed: int,
    *,
    task: Literal["A", "B"],
    classes: int,
    body: Any = None,
    layers: int | None = None,
    on_epoch: Callable[[int, Any], None] = lambda number, epoch: None,
) -> tuple[Any, list[Any]]:
    """A trained Keras model, compiled so that `evaluate` works, and its epochs.

    images: uint8, (images, *shape of one), of which `examples` ("training", "validation") name rows. body: the model
    whose first `layers` hidden layers (None: all) the network starts from, frozen for `training.frozen_epochs`.
    All networks of a seed and task see the same images in the same order.

    Raises DivergedError when a loss is not finite.
    """
    import keras

    from tasks.experiment.networks.architectures import build_network, hidden_layers, transfer_hidden_layers
    from tasks.experiment.networks.bodies import build_on_body
    from tasks.experiment.networks.trainer import train

    is_own = isinstance(start, tuple)
    model = build_network(training, classes, start, seed) if is_own else build_on_body(start, classes, seed)
    if body:
        transfer_hidden_layers(body, model, layers)
    history = train(
        model,
        images,
        examples["training"],
        examples["validation"],
        learning_rate=training.learning_rate,
        batch_size=training.batch_size,
        epochs=training.epochs,
        order=generator(seed, f"order/{task}"),
        frozen_epochs=training.frozen_epochs,
        frozen_layers=tuple(layer.name for layer in hidden_layers(model)[:layers]),
        on_epoch=on_epoch,
    )
    loss = "binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy"
    model.compile(optimizer=keras.optimizers.SGD(training.learning_rate, name="sgd"), loss=loss, metrics=["accuracy"])
    return model, history
