"""Files that are no model, or one that can't be loaded here: refused in one sentence that says how to mend it."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.experiment.errors import UnusableInputError

CONVERT = 'keras.saving.load_model("{old}", compile=False).save("{new}")'


def refuse_other_files(path: Path) -> None:
    """Raise UnusableInputError unless the path is that of a .keras file; of an older kind it says how to convert it."""
    new = path.with_suffix(".keras").name
    if path.suffix.lower() in (".h5", ".hdf5") and path.is_file():
        if path.name.lower().endswith(".weights.h5") or not _holds_a_model(path):
            raise UnusableInputError(
                f"{path} holds weights without a model: build the model, load them, save it as {new}"
            )
        raise UnusableInputError(
            f"{path} is in Keras' older format, which is not read here: convert it where it was made, with "
            f"`import keras` and `{CONVERT.format(old=path.name, new=new)}`"
        )
    if (path / "saved_model.pb").is_file():
        raise UnusableInputError(
            f"{path} is a SavedModel, of which Keras 3 can't reuse layers: convert it with Keras 2 (the package "
            f"tf_keras), with `import tf_keras` and `tf_{CONVERT.format(old=path.name, new=f'{path.name}.h5')}`, then "
            f"with `import keras` and `{CONVERT.format(old=f'{path.name}.h5', new=f'{path.name}.keras')}`; or save the "
            "model that it was exported from as .keras"
        )
    if path.suffix != ".keras" or not path.is_file():
        raise UnusableInputError(f"{path} is not a file that Keras saved, with the suffix .keras")


def _holds_a_model(path: Path) -> bool:
    """Of an HDF5 file, whether it has a model's configuration. It need not be one: then it is for Keras to say."""
    import h5py

    try:
        with h5py.File(path) as file:
            return "model_config" in file.attrs
    except OSError:
        return True


def refuse_foreign_code(path: Path) -> None:
    """Raise UnusableInputError if the model in the .keras file needs code that is not Keras' own, naming the layer."""
    with zipfile.ZipFile(path) as parts:
        config = json.loads(parts.read("config.json"))
    for each, layer in _objects(config, ""):
        kind, registered = each["class_name"], each.get("registered_name")
        if kind in ("Lambda", "__lambda__"):
            raise UnusableInputError(
                f"{path} has a Lambda layer or function, in {layer!r}: that is code, which is never run; replace it by "
                "layers of Keras"
            )
        if kind.startswith("__") or str(each.get("module")).split(".")[0] == "keras":
            continue
        what = f"function {each.get('config')}" if kind == "function" else f"class {kind}"
        known_as = f" (registered as {registered})" if registered and kind != "function" else ""
        raise UnusableInputError(
            f"{path}: the layer {layer!r} needs the {what}{known_as}, which is not Keras' own, and code of others is "
            "never run: replace it by layers of Keras"
        )


def _objects(config: Any, layer: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Each object in a model's configuration, with the name of the layer that it is, or is part of.

    How the model was compiled does not matter.
    """
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            inner = config.get("config")
            layer = inner["name"] if isinstance(inner, dict) and isinstance(inner.get("name"), str) else layer
            yield config, layer
        for key, value in config.items():
            if key != "compile_config":
                yield from _objects(value, layer)
    elif isinstance(config, list):
        for value in config:
            yield from _objects(value, layer)
