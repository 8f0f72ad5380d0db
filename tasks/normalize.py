"""normalize: what networks are built from: each pixel's mean and standard deviation, or import_A's body instead."""

from typing import Literal

from prefect.logging import get_run_logger

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.formats.files import given_path
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.pixels import pixel_statistics, save_pixels
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.bodies import model_notes
from tasks.experiment.settings import Experiment
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact
from tasks.storage.files import printable


@stage()
def normalize(data: DataSet, normalization: Literal["standardize", "none"]) -> Artifact:
    """Store the mean and the standard deviation of each pixel over the training images; of raw pixels 0 and 1."""
    images, _ = data.training_and_validation(data.images("train"))
    return save_pixels(pixel_statistics(images, standardize=normalization == "standardize"))


@stage()
def import_A(data: DataSet, source_model: str, content: str, source_layer: str | None) -> Artifact:
    """Store the body of a trained Keras model, cut at the layer up to which it is reused, as model.keras.

    content: a hash of the file, so that a changed one is never stale.
    """
    from tasks.experiment.networks.bodies import load_body, save_body
    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    path = given_path(source_model)
    body = load_body(path, source_layer, data.image_shape)
    if fingerprint(path) != content:
        raise UnusableInputError(f"{source_model} changed while it was read: run again")
    return save_body(body, source_model)


def starts(experiment: Experiment, data: DataSet, source: DataSet | None) -> tuple[Artifact, Artifact]:
    """What networks of A and of B are built from: each one's own pixels, or for both the body of a trained model."""
    if source is None:
        path = str(experiment.source_model)
        body = import_A(data, path, fingerprint(given_path(path)), experiment.source_layer)
        for note in model_notes(body):
            get_run_logger().warning(printable(note))
        return body, body
    pixels = normalize(data, experiment.normalization)
    return (pixels if source == data else normalize(source, experiment.normalization)), pixels
