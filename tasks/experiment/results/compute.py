"""The same comparison at equal numbers of SGD steps.

A trajectory: (steps at its checkpoints, ascending; test errors there), each of shape (checkpoints,).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.statistics.differences import Difference

Trajectory = tuple[NDArray[np.int64], Errors]


class AtSteps(Difference):
    """Scratch, the baseline, is judged after `steps` steps. source_counted: these contain the steps that A took.

    steps: the mean over seeds, which differ if each seed has its own recipe.
    """

    steps: int
    source_counted: bool


def errors_after(trajectories: Sequence[Trajectory], steps: NDArray[np.int64]) -> Errors | None:
    """Each seed's error after its number of steps, interpolated in their logarithm; None if one ends before that.

    One trajectory per seed; steps: shape (seeds,).
    """
    if any(checkpoints[-1] < wanted for (checkpoints, _), wanted in zip(trajectories, steps, strict=True)):
        return None
    return np.array(
        [
            np.interp(np.log(wanted), np.log(checkpoints), errors)
            for (checkpoints, errors), wanted in zip(trajectories, steps, strict=True)
        ]
    )
