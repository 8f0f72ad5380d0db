"""split: task A and task B, each with its training, validation and test images."""

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import Problem, Target, cut_source, cut_target
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact


@stage()
def split(
    data: DataSet, source: DataSet | None, start_A: Artifact, start_B: Artifact, target: Target
) -> tuple[Problem, Problem]:
    """Task A and task B: two handles, so that what was trained on A stays as it is when B changes.

    B is cut out of `data`, A out of `source`; without a source a trained model takes A's place.
    """
    B = cut_target(data, start_B, target)
    if source is None:
        return Problem(data=data, classes=(), examples=None, start=start_A), B
    return cut_source(source, start_A, B), B
