"""Networks as .keras files: saved as equal bytes, loaded in safe mode, told apart by their weights and architecture."""

import functools
import hashlib
import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.foreign_files import refuse_foreign_code, refuse_other_files
from tasks.experiment.networks.recipe import Network


def save_model(model: Network, path: Path) -> None:
    """Save a Keras model as a file whose bytes depend on weights and architecture only.

    Keras writes the time into the zip and its metadata, and memory addresses (as identities of shared objects) into
    the configuration. The times are left out and the identities are counted from 1, so that equal models are equal
    files.
    """
    _look_up_attributes_once()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".keras-") as temporary:
        saved = Path(temporary) / "model.keras"
        model.save(saved)
        with zipfile.ZipFile(saved) as stamped, zipfile.ZipFile(path, "w") as clean:
            for name in sorted(stamped.namelist()):
                content = stamped.read(name)
                if name == "metadata.json":
                    metadata = json.loads(content)
                    metadata.pop("date_saved")
                    content = json.dumps(metadata).encode()
                if name == "config.json":
                    content = _count_shared_objects(content.decode()).encode()
                clean.writestr(zipfile.ZipInfo(name), content)


def _look_up_attributes_once() -> None:
    """Keras 3.15 keeps what it leaves out of a file under one name and looks for it under another.

    So it makes a new optimizer for each one that it saves, and TensorFlow never gives the 70 KiB of that back.
    """
    from keras.src.saving import saving_lib

    if not hasattr(saving_lib.get_attr_skipset, "cache_info"):
        saving_lib.get_attr_skipset = functools.cache(saving_lib.get_attr_skipset)


def _count_shared_objects(config: str) -> str:
    numbers: dict[str, int] = {}
    return re.sub(
        r'(?<="shared_object_id": )\d+', lambda found: str(numbers.setdefault(found[0], len(numbers) + 1)), config
    )


def load_network(path: Path) -> Network:
    """A network that this project stored. It comes uncompiled: to predict with or to build on, not to train further.

    In Keras' safe mode: a file with a Lambda layer or a class that is not Keras' own is refused (ValueError or
    TypeError), and its code never runs.
    """
    import keras

    return keras.saving.load_model(path, compile=False, safe_mode=True)


def load_trained(path: Path) -> Network:
    """A model that a user gave, in the same safe mode. Raises UnusableInputError, in one sentence."""
    refuse_other_files(path)
    try:
        refuse_foreign_code(path)
        return load_network(path)
    except UnusableInputError:
        raise
    except Exception as error:
        # Keras has many ways to fail on a file; each of them means that the file can't be used.
        raise UnusableInputError(f"{path} can't be loaded: {' '.join(str(error).split())[:200]}") from error


def weights_digest(path: Path) -> str:
    """A digest of a .keras file's weights alone: names, shapes and every bit, whatever Keras wrote around them."""
    import h5py

    digest = hashlib.sha256()

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            digest.update(f"{name} {item.dtype} {item.shape} ".encode() + item[()].tobytes())

    with zipfile.ZipFile(path) as parts, h5py.File(io.BytesIO(parts.read("model.weights.h5"))) as weights:
        weights.visititems(add)
    return digest.hexdigest()[:16]


def architecture(model: Network) -> str:
    """The model's configuration as JSON, without what does not change the computation.

    That is: how weights were initialized, seeds, how it was compiled, and memory addresses.
    """

    import keras

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: item for key, item in value.items() if not key.endswith(("initializer", "_config"))}
            return {key: cleaned(item) for key, item in kept.items() if key not in ("shared_object_id", "seed")}
        return [cleaned(item) for item in value] if isinstance(value, list | tuple) else value

    return json.dumps(cleaned(keras.saving.serialize_keras_object(model)), sort_keys=True)
