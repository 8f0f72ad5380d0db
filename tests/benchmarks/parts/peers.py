"""The same epoch of task A by other libraries, each with plain SGD, batch 32, and the same layers.

Each maker takes float32 images (n, 28, 28) and integer labels (n,), and returns a function that runs one epoch; it
raises ImportError where the library is not installed (`make peers`).
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.rows import Row, seconds

SIZES = (784, 100, 100, 100, 8)
BATCH = 32


def torch_eager(x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    import torch
    from torch import nn

    torch.set_num_threads(1)  # faster than more of them for batches of 32
    layers: list[Any] = []
    for inputs, outputs in itertools.pairwise(SIZES):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    images, labels = torch.from_numpy(x.reshape(len(x), -1)), torch.from_numpy(y.astype(np.int64))

    def epoch() -> None:
        order = torch.randperm(len(images))
        for start in range(0, len(images), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()

    return epoch


def jax_scan(x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    weights = [
        (jnp.asarray(rng.normal(0, (2 / i) ** 0.5, (i, o)), jnp.float32), jnp.zeros(o))
        for i, o in itertools.pairwise(SIZES)
    ]
    images, labels = jnp.asarray(x.reshape(len(x), -1)), jnp.asarray(y)

    def loss(weights: Any, rows: Any) -> Any:
        hidden = images[rows]
        for w, b in weights[:-1]:
            hidden = jax.nn.relu(hidden @ w + b)
        logits = hidden @ weights[-1][0] + weights[-1][1]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[rows][:, None], axis=1))

    def step(weights: Any, rows: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(weights, rows)
        return jax.tree.map(lambda w, g: w - 1e-3 * g, weights, gradient), value

    run = jax.jit(lambda weights, order: jax.lax.scan(step, weights, order))
    steps = len(x) // BATCH  # whole batches only, to JAX's favour

    def epoch() -> None:
        nonlocal weights
        order = rng.permutation(len(x))[: steps * BATCH].reshape(steps, BATCH)
        weights, losses = run(weights, order)
        losses.block_until_ready()

    return epoch


def scikit_learn(x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(SIZES[1:-1], solver="sgd", batch_size=BATCH, learning_rate_init=1e-3, momentum=0, alpha=0)
    flat, classes = x.reshape(len(x), -1), np.unique(y)
    return lambda: model.partial_fit(flat, y, classes=classes)


# (name, maker, how many times slower than the trainer it should be)
PEERS = (
    ("PyTorch eager loop", torch_eager, 2.5),
    ("JAX jit + scan", jax_scan, 1.0),
    ("scikit-learn MLPClassifier", scikit_learn, 4.0),
)


def installed_peers(x: np.ndarray, y: np.ndarray) -> dict[str, Callable[[], float]]:
    """Of each one that is installed, the seconds that an epoch takes it."""
    peers: dict[str, Callable[[], float]] = {}
    for name, make, _ in PEERS:
        try:
            epoch = make(x, y)
        except ImportError:
            continue
        peers[name] = lambda epoch=epoch: seconds(epoch)  # type: ignore[misc]
    return peers


def peer_rows(took: dict[str, float], trainers: list[Row]) -> list[Row]:
    """Of each peer, against each of the trainer's rows; of one that was not timed, that it is not installed."""
    rows = []
    for name, _, goal in PEERS:
        what = f"epoch of A: {name}"
        if name in took:
            rows += [Row(what, took[name], "times slower", trainer, goal=goal) for trainer in trainers]
        else:
            rows.append(Row(what, None, note="not installed (make peers)"))
    return rows
