from typing import get_args

import numpy as np
import pytest

from tasks.experiment.data.pixels import Pixels
from tasks.experiment.networks.architectures import NETWORKS, build_network, hidden_layers
from tasks.experiment.networks.recipe import NetworkKind, Training


def test_every_kind_of_network_has_an_architecture() -> None:
    assert tuple(NETWORKS) == get_args(NetworkKind)


@pytest.mark.parametrize("kind", NETWORKS)
def test_an_architecture_knows_how_many_layers_can_be_reused(kind: NetworkKind) -> None:
    training = Training(network=kind, hidden_layers=2, hidden_units=5, learning_rate=1, batch_size=1, epochs=1)
    pixels = Pixels(np.zeros((8, 8), np.float32), np.ones((8, 8), np.float32))
    layers = hidden_layers(build_network(training, 3, pixels, seed=1))
    assert len(layers) == NETWORKS[kind].reusable(training)
