import numpy as np
import pytest

from tasks.experiment.results.compute import errors_after

CHECKPOINTS = np.array([10, 100, 1000])


def test_errors_between_checkpoints_by_hand() -> None:
    """A third of the way from 10 to 100 steps, in their logarithm, is 10 ** (4 / 3); each seed has its own."""
    trajectories = [(CHECKPOINTS, np.array([0.5, 0.2, 0.1])), (CHECKPOINTS, np.array([0.4, 0.3, 0.2]))]
    steps = np.array([10 ** (4 / 3), 100])
    assert errors_after(trajectories, steps) == pytest.approx([0.4, 0.3])


def test_a_trajectory_that_ends_before_tells_nothing() -> None:
    assert errors_after([(CHECKPOINTS, np.array([0.5, 0.2, 0.1]))], np.array([1001])) is None
