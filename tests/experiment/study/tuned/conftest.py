"""The world in which task A helps, tuned once for the tests of a module."""

from pathlib import Path

import pytest

from tasks.experiment.data.splits import Problem
from tests.support import signals
from tests.support.tuning import EXPERIMENT, Made, Tuned, tune


@pytest.fixture(scope="module")
def made(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Task A and task B of a world."""

    def make(*, informative: bool = True, samples: int = EXPERIMENT.target_samples) -> tuple[Problem, Problem]:
        path = tmp_path_factory.mktemp("data") / "made.npz"
        return signals.problems(signals.write_npz(path, informative=informative), samples)

    return make


@pytest.fixture(scope="module")
def tuned(made: Made) -> Tuned:
    return tune(*made(), seed=0)
