"""Bodies of model files, as import_A makes them."""

from pathlib import Path

from tasks.experiment.networks.bodies.body import make_body, open_model
from tasks.experiment.networks.bodies.pixels import PixelKind
from tasks.experiment.networks.recipe import Network


def load_body(path: Path, layer: str | None, image_shape: tuple[int, ...], pixels: PixelKind | None = None) -> Network:
    model, scaling = open_model(path, image_shape, pixels)
    return make_body(model, str(path), layer, image_shape, scaling)
