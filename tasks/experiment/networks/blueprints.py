"""What a network is built from: what normalizes pixels, or a body that was trained elsewhere."""

from dataclasses import dataclass
from typing import Protocol

from tasks.experiment.data.pixels import Pixels, load_pixels
from tasks.experiment.networks.architectures import build_network
from tasks.experiment.networks.bodies.body import build_on_body
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.networks.recipe import Network, Training
from tasks.storage.artifacts import Artifact


class Blueprint(Protocol):
    """Builds the networks of one problem."""

    def build(self, training: Training, classes: int, seed: int) -> Network:
        """A Keras model from raw uint8 images to class probabilities, with initial weights that the seed decides."""


@dataclass(frozen=True)
class PixelsBlueprint:
    """The network of the settings, with the normalization of these pixels inside."""

    pixels: Pixels

    def build(self, training: Training, classes: int, seed: int) -> Network:
        return build_network(training, classes, self.pixels, seed)


@dataclass(frozen=True)
class BodyBlueprint:
    """A network like this body, whatever network the settings name."""

    body: Network

    def build(self, training: Training, classes: int, seed: int) -> Network:
        return build_on_body(self.body, classes, seed)


def load_blueprint(start: Artifact) -> Blueprint:
    """The blueprint that `normalize` stored as pixels, or `import_A` as a body."""
    folder = start.folder()
    model = folder / "model.keras"
    return BodyBlueprint(load_network(model)) if model.exists() else PixelsBlueprint(load_pixels(folder))
