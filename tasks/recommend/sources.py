"""cut_A, cut_body: a data set as a source: its images to train on, and of what was trained a body to build on."""

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import Problem, cut_source
from tasks.experiment.networks.bodies.body import make_body, save_body
from tasks.experiment.networks.model_files import load_network
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact


@stage()
def cut_A(source: DataSet, start: Artifact, taken: tuple[str, ...]) -> Problem:
    """All classes of `source` but those that are `taken` already."""
    numbers = source.class_numbers(taken)
    return cut_source(source, start, Problem(data=source, classes=numbers, examples=None, start=start))


@stage()
def cut_body(model_A: Artifact, layer: str | None, image_shape: tuple[int, ...]) -> Artifact:
    """Store the layers of a network trained here up to that one (None: up to its head), as import_A does a model's."""
    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    model = load_network(model_A.folder() / "model.keras")
    return save_body(make_body(model, "trained on source_datasets", layer, image_shape), notes=[])
