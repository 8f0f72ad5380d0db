"""normalize: what networks are built from: each pixel's mean and standard deviation, or import_A's body instead."""

from typing import Literal

from prefect.logging import get_run_logger

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.formats.files import given_path
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.pixels import pixel_statistics, save_pixels
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.bodies.applications import open_application, parse_application
from tasks.experiment.networks.bodies.body import make_body, model_notes, open_model, save_body
from tasks.experiment.networks.bodies.pixels import PixelKind, pixel_notes
from tasks.experiment.settings import Experiment
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact
from tasks.storage.files import printable

TRIED = 256  # images, on which a model tells what pixels it takes


@stage()
def normalize(data: DataSet, normalization: Literal["standardize", "none"]) -> Artifact:
    """Store the mean and the standard deviation of each pixel over the training images; of raw pixels 0 and 1."""
    images, _ = data.training_and_validation(data.images("train"))
    return save_pixels(pixel_statistics(images, standardize=normalization == "standardize"))


@stage()
def import_A(
    data: DataSet, source_model: str, content: str, source_layer: str | None, source_pixels: PixelKind | None
) -> Artifact:
    """Store the body of a trained Keras model, cut at the layer up to which it is reused, as model.keras.

    content: a hash of its file, so that a changed one is never stale.
    """
    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    if application := parse_application(source_model):
        model, scaling = open_application(application, data.image_shape)
        notes = []
    else:
        model, scaling = open_model(given_path(source_model), data.image_shape, source_pixels)
        tried = data.images("train")[:TRIED], data.labels("train")[:TRIED]
        notes = pixel_notes(source_model, model, source_pixels, *tried)
    body = make_body(model, source_model, source_layer, data.image_shape, scaling)
    if _content(source_model) != content:
        raise UnusableInputError(f"{source_model} changed while it was read: run again")
    return save_body(body, notes)


def starts(experiment: Experiment, data: DataSet, source: DataSet | None) -> tuple[Artifact, Artifact]:
    """What networks of A and of B are built from: each one's own pixels, or for both the body of a trained model."""
    if source is None:
        given = str(experiment.source_model)
        body = import_A(data, given, _content(given), experiment.source_layer, experiment.source_pixels)
        for note in model_notes(body):
            get_run_logger().warning(printable(note))
        return body, body
    pixels = normalize(data, experiment.normalization)
    return (pixels if source == data else normalize(source, experiment.normalization)), pixels


def _content(source_model: str) -> str:
    """A hash of the file of a model or of its weights; of weights that Keras downloads, and checks, their name."""
    application = parse_application(source_model)
    file = application.weights if application else source_model
    return fingerprint(given_path(file)) if file else source_model
