"""What the tests of flows share."""

import pytest

from tasks.experiment.settings import Experiment
from tests.support import signals


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Settings with which a flow takes seconds, on small images that were made up."""
    return Experiment(
        dataset=str(signals.write_npz(tmp_path_factory.mktemp("made") / "made.npz", images=900)), target_classes=(4, 5),
        target_samples=24, hidden_layers=2, hidden_units=12, source_epochs=3, target_epochs=4, frozen_epochs=2,
        learning_rate=0.01,
    )  # fmt: skip
