"""Your own trained Keras model as a body: its layers up to a named one, to build on."""

from pathlib import Path
from typing import Any

import numpy as np

from tasks.experiment.data.formats.labelled import some
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.architectures import head, hidden_layers
from tasks.experiment.networks.bodies.cutting import all_layers, before_head, calls, cut, is_nested, near, paths
from tasks.experiment.networks.bodies.pixels import PixelKind, Scaling, scaling_to
from tasks.experiment.networks.model_files import load_trained, save_model
from tasks.experiment.networks.recipe import Layer, Network
from tasks.experiment.randomness import derive_seed, generator
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json, write_json

NOTES = "notes.json"
NO_SCALING = Scaling()


def open_model(path: Path, image_shape: tuple[int, ...], pixels: PixelKind | None) -> tuple[Network, Scaling]:
    """(the model at `path`, what it is to get of pixels of 0 to 255); these as they are unless `pixels` says otherwise.

    It is loaded in Keras' safe mode, so that no code in it runs. Raises UnusableInputError if it can't be, or takes
    images of another shape.
    """
    model = load_trained(path)
    if len(model.inputs) != 1:
        raise UnusableInputError(f"source_model {path} has {len(model.inputs)} inputs: it must take images and no more")
    takes = model.inputs[0].shape[1:]
    if not (_fits(takes, image_shape) or _fits(takes, with_channel(image_shape))):
        raise UnusableInputError(
            f"source_model {path} takes images of the shape {tuple(takes)}, but those of the data set have the shape "
            f"{tuple(image_shape)}"
        )
    return model, scaling_to(pixels or "0-255", with_channel(image_shape)[-1])


def make_body(
    model: Network, origin: str, layer: str | None, image_shape: tuple[int, ...], scaling: Scaling = NO_SCALING
) -> Network:
    """A Keras model from uint8 images of `image_shape` to that layer's output of the model, which takes such images.

    layer: its path; None: the last one before the model's head, or, if it has no head, its last one.
    Raises UnusableInputError if there is no such layer, or nothing trained up to it.
    """
    import keras

    path = layer.split("/") if layer else before_head(model)
    if layer and layer not in (known := list(paths(model))):
        alike = near(layer, known)
        says = f"did you mean {' or '.join(alike)}?" if alike else f"source_layer can be {some(_overview(model))}"
        raise UnusableInputError(f"source_model {origin} has no layer {layer!r}: {says}")
    up_to = cut(model, path) if path else model
    if len(up_to.outputs) != 1:
        raise UnusableInputError(f"source_model {origin} gives more than one output there: name another source_layer")
    body = keras.Model(up_to.inputs[0], up_to.outputs[0], name="body")
    for each in all_layers(body):
        each.trainable = True  # Keras saves it: a layer frozen in the file could not be tuned
    if path == [] or not body.trainable_weights:
        where = f"up to the layer {'/'.join(path)!r}: give a later one" if path else "before its head"
        raise UnusableInputError(f"source_model {origin} has nothing trained {where}")
    takes_channel = len(model.inputs[0].shape) == 4 and len(image_shape) == 2
    channel = [keras.layers.Reshape((*image_shape, 1), name="channel")] if takes_channel else []
    pixels = keras.Input(image_shape, dtype="uint8", name="pixels")
    floats = keras.layers.Rescaling(scaling.scale, scaling.offset, name="as_floats")
    return keras.Sequential([pixels, floats, *channel, body], name="network")


def save_body(body: Network, notes: list[str]) -> Artifact:
    """Store a body, and what its user should know about it, one sentence each."""

    def write(folder: Path) -> None:
        save_model(body, folder / "model.keras")
        write_json(folder / NOTES, notes)

    return save("import_A", write)


def model_notes(body: Artifact) -> list[str]:
    """What the user of a stored body should know, one sentence each."""
    notes: list[str] = read_json(body.folder() / NOTES)
    return notes


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
    for mine, theirs in zip(all_layers(cut), all_layers(body.layers[-1]), strict=True):
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


def _fits(takes: tuple[int | None, ...], shape: tuple[int, ...]) -> bool:
    return len(takes) == len(shape) and all(a in (None, b) for a, b in zip(takes, shape, strict=True))


def _overview(model: Network) -> list[str]:
    """The model's own layers, and where there are more inside."""
    layers = dict.fromkeys(each.layer for each in calls(model)[1])
    return [name for layer in layers for name in (layer.name, *([f"{layer.name}/…"] if is_nested(layer) else []))]


def with_channel(image_shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*image_shape, 1) if len(image_shape) == 2 else image_shape


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
