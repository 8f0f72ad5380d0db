"""The layers of a model by their paths through the models nested in it ("backbone/conv5_block3_out"), and a model cut
at one of them.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from tasks.experiment.networks.recipe import Layer, Network


class Call(NamedTuple):
    """One call of a layer in a model: with what, and what it gave (a Keras tensor, or several)."""

    layer: Layer
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    output: Any


def calls(model: Network) -> tuple[Any, list[Call]]:
    """(the model's input, each call of a layer of its own, in the order of computation); a nested model is one layer.

    The layers are the model's own, called once more.
    """
    import keras

    made: list[Call] = []

    def call(layer: Layer, *arguments: Any, **options: Any) -> Any:
        made.append(Call(layer, arguments, options, layer(*arguments, **options)))
        return made[-1].output

    if isinstance(model, keras.Sequential):
        given = model.inputs[0]
        images = output = keras.Input(batch_shape=given.shape, dtype=given.dtype, name=given.name)
        for layer in model.layers:
            output = call(layer, output)
        return images, made
    again = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return again.inputs[0], made


def is_nested(layer: Layer) -> bool:
    """Whether it is a model that can be looked into."""
    return bool(getattr(layer, "layers", None)) and bool(getattr(layer, "inputs", None))


def all_layers(layer: Layer) -> list[Layer]:
    """The layer and all that are nested in it."""
    return [layer, *(each for inner in getattr(layer, "layers", []) for each in all_layers(inner))]


def paths(model: Network, above: str = "") -> Iterator[str]:
    """The path of each layer, in the order of computation; a nested model comes after its own layers."""
    for layer in dict.fromkeys(each.layer for each in calls(model)[1]):
        if is_nested(layer):
            yield from paths(layer, f"{above}{layer.name}/")
        yield above + layer.name


def near(path: str, known: Sequence[str]) -> list[str]:
    """Of the known paths those that may have been meant: spelled almost so, or ending in a name that is."""
    name = path.split("/")[-1]
    names = {each.split("/")[-1] for each in known}
    if name in names:
        return [each for each in known if each.split("/")[-1] == name][:5]
    meant = get_close_matches(name, sorted(names), n=3, cutoff=0.75)
    alike = get_close_matches(path, known, n=3, cutoff=0.75)
    return list(dict.fromkeys([*alike, *(each for each in known if each.split("/")[-1] in meant)]))[:5]


def cut(model: Network, path: Sequence[str]) -> Network:
    """The model up to the output of the layer at that path. What a layer is called with stays as it is."""
    import keras

    images, made = calls(model)
    name, *inside = path
    found = next(each for each in made if each.layer.name == name)
    output = cut(found.layer, inside)(*found.arguments, **found.options) if inside else found.output
    return keras.Model(images, output, name=model.name)


def before_head(model: Network) -> list[str] | None:
    """The path of the last layer before the model's head, wherever that is nested.

    The head is the last layer with weights, with all that follows, if it is dense or ends in probabilities. None: there
    is no such head. Empty: the head is all that there is.
    """
    _, made = calls(model)
    weighted = [each for each in made if getattr(each.layer, "weights", [])]
    if not weighted:
        return None
    last = weighted[-1]
    if is_nested(last.layer):
        inside = before_head(last.layer)
        if inside is None:
            return None
        if inside:
            return [last.layer.name, *inside]
    elif not (type(last.layer).__name__ == "Dense" or any(map(_gives_probabilities, made[made.index(last) :]))):
        return None
    before = [each.layer.name for each in made if each.output is last.arguments[0]]
    return before[:1]


def _gives_probabilities(call: Call) -> bool:
    activation = getattr(call.layer, "activation", None)
    return type(call.layer).__name__ == "Softmax" or getattr(activation, "__name__", "") in ("softmax", "sigmoid")
