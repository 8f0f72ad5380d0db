"""import_A: a trained Keras model of one's own in the place of A, cut at the layer up to which it is reused."""

from pathlib import Path

from prefect.logging import get_run_logger

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.model_files import save_model
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save


@stage()
def import_A(data: DataSet, source_model: str, content: str, source_layer: str | None) -> Artifact:
    """Store the body as model.keras. content: a hash of the file, so that a changed one is never stale."""
    from tasks.experiment.networks.bodies import load_body, prepares_pixels
    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    body = load_body(Path(source_model), source_layer, data.image_shape)
    if fingerprint(Path(source_model)) != content:
        raise UnusableInputError(f"{source_model} changed while it was read: run again")
    if not prepares_pixels(body):
        get_run_logger().warning(
            "%s has no Rescaling or Normalization layer: it gets pixels of 0–255 as they are", source_model
        )
    return save("import_A", lambda folder: save_model(body, folder / "model.keras"))
