"""split: task A and task B, each with its training, validation and test images."""

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import Problem, Problems, Target, cut_source, cut_target
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact


@stage()
def split(data: DataSet, source: DataSet | None, start_A: Artifact, start_B: Artifact, target: Target) -> Problems:
    """Task B is cut out of `data`, task A out of `source`; without a source a trained model takes A's place."""
    B = cut_target(data, start_B, target)
    if source is None:
        return Problems(Problem(data=data, classes=(), examples=None, start=start_A), B)
    return Problems(cut_source(source, start_A, B), B)
