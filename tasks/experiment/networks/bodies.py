"""Your own trained Keras model as a body: its layers up to a named one, to build on."""

from pathlib import Path
from typing import Any

import numpy as np

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.architectures import head, hidden_layers
from tasks.experiment.networks.model_files import load_trained, save_model
from tasks.experiment.networks.recipe import Layer, Network
from tasks.experiment.randomness import derive_seed, generator
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json, write_json

NOTES = "notes.json"
PREPARING = ("Rescaling", "Normalization")


def load_body(path: Path, layer: str | None, image_shape: tuple[int, ...]) -> Network:
    """A Keras model from uint8 images of `image_shape` to the output of that layer of the model at `path`.

    layer: a name; None: the layer before the last. The file is loaded in Keras' safe mode, so that no code in it runs.

    Raises UnusableInputError if it can't be loaded, has no such layer, or takes images of another shape.
    """
    import keras

    model = load_trained(path)
    if len(model.inputs) != 1:
        raise UnusableInputError(f"source_model {path} has {len(model.inputs)} inputs: it must take images and no more")
    takes = model.inputs[0].shape[1:]
    grey = (*image_shape, 1) if len(image_shape) == 2 else image_shape
    if not (_fits(takes, image_shape) or _fits(takes, grey)):
        raise UnusableInputError(
            f"source_model {path} takes images of the shape {tuple(takes)}, but those of the data set have the shape "
            f"{tuple(image_shape)}"
        )
    names = [each.name for each in model.layers]
    last = layer or (names[-2] if len(names) > 1 else "")
    if last not in names:
        raise UnusableInputError(f"source_model {path} has no layer {last!r}: source_layer can be {', '.join(names)}")
    cut = keras.Model(model.inputs[0], model.get_layer(last).output, name="body")
    cut.trainable = True  # Keras saves `trainable`: a layer frozen in the file could not be tuned
    if not cut.trainable_weights:
        raise UnusableInputError(f"source_model {path} has nothing trained up to the layer {last!r}: give a later one")
    channel = [] if _fits(takes, image_shape) else [keras.layers.Reshape(grey, name="channel")]
    pixels = keras.Input(image_shape, dtype="uint8", name="pixels")
    return keras.Sequential([pixels, keras.layers.Rescaling(1.0, name="as_floats"), *channel, cut], name="network")


def save_body(body: Network, origin: str) -> Artifact:
    """Store the body of the model that was given as `origin`, and what its user should know about it."""
    notes = [] if _prepares_pixels(body) else [
        f"{origin} has no Rescaling or Normalization layer: it gets pixels of 0–255 as they are, and says less if it "
        "was trained on others."
    ]  # fmt: skip

    def write(folder: Path) -> None:
        save_model(body, folder / "model.keras")
        write_json(folder / NOTES, notes)

    return save("import_A", write)


def model_notes(body: Artifact) -> list[str]:
    """What the user of a stored body should know, one sentence each."""
    notes: list[str] = read_json(body.folder() / NOTES)
    return notes


def _prepares_pixels(body: Network) -> bool:
    """Whether the model itself scales pixels; otherwise it must have been trained on pixels of 0–255."""
    return any(type(layer).__name__ in PREPARING for layer in _all_layers(body) if layer.name != "as_floats")


def build_on_body(body: Network, classes: int, seed: int) -> Network:
    """A network like the body, with a new head and initial weights; what only prepares pixels is as in the body.

    Initial weights come from the layers' own initializers, and depend on the seed and the layers' names only.
    """
    import keras

    def untrained(layer: Layer) -> Layer:
        return type(layer).from_config(_with_seeds(layer.get_config(), seed, f"weights/{layer.name}"))

    cut = keras.models.clone_model(body.layers[-1], clone_function=untrained)
    flatten = [keras.layers.Flatten(name="flatten")] if len(cut.output.shape) > 2 else []
    pixels = keras.Input(body.input_shape[1:], dtype="uint8", name="pixels")
    network = keras.Sequential(
        [pixels, *(untrained(layer) for layer in body.layers[:-1]), cut, *flatten, head(classes, seed)], name="network"
    )
    for mine, theirs in zip(_all_layers(cut), _all_layers(body.layers[-1]), strict=True):
        if mine.weights and not mine.trainable_weights:
            mine.set_weights(theirs.get_weights())
    return network


def draw_like(source: Network, target: Network, seed: int) -> None:
    """Give the target's hidden layers random weights, normal with the mean and deviation of each kernel and bias of the
    source's: what is left of these is their scale (Raghu et al. 2019, "Transfusion", section 4).
    """
    for mine, theirs in zip(hidden_layers(target), hidden_layers(source), strict=True):
        for number, (variable, like) in enumerate(zip(mine.trainable_weights, theirs.trainable_weights, strict=True)):
            values = np.asarray(like)
            rng = generator(seed, f"like A/{mine.name}/{number}")
            variable.assign(rng.normal(values.mean(), values.std(), values.shape).astype(np.float32))


def _all_layers(layer: Layer) -> list[Layer]:
    """The layer and all that are nested in it."""
    return [layer, *(each for inner in getattr(layer, "layers", []) for each in _all_layers(inner))]


def _fits(takes: tuple[int | None, ...], shape: tuple[int, ...]) -> bool:
    return len(takes) == len(shape) and all(a in (None, b) for a, b in zip(takes, shape, strict=True))


def _with_seeds(config: Any, seed: int, name: str) -> Any:
    """A layer's configuration with every seed derived from ours, and nothing frozen."""
    if isinstance(config, dict):
        changed = {key: _with_seeds(value, seed, f"{name}/{key}") for key, value in config.items()}
        changed |= {"seed": derive_seed(seed, name)} if "seed" in config else {}
        return changed | ({"trainable": True} if "trainable" in config else {})
    return (
        [_with_seeds(value, seed, f"{name}/{i}") for i, value in enumerate(config)]
        if isinstance(config, list)
        else config
    )
