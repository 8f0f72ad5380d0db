"""The same epoch of task A by other libraries, each with plain SGD, batch 32, and the same layers.

Each maker takes float32 images (n, 28, 28) and integer labels (n,), and returns a function that runs one epoch; it
raises ImportError where the library is not installed (`pip install torch jax scikit-learn`).
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.rows import Row, in_turn, seconds

SIZES = (784, 100, 100, 100, 8)
BATCH = 32


def torch_eager(x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    import torch
    from torch import nn

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


# (name, maker, how many times faster the trainer should be)
PEERS = (
    ("PyTorch eager loop", torch_eager, 2.5),
    ("JAX jit + scan", jax_scan, 1.0),
    ("scikit-learn MLPClassifier", scikit_learn, 4.0),
)


def timed_peers(x: np.ndarray, y: np.ndarray, trainers: list[Row], rounds: int) -> list[Row]:
    """One epoch by whatever is installed of them, against each of the trainer's rows."""
    rows = []
    for name, make, goal in PEERS:
        try:
            epoch = make(x, y)
        except ImportError as missing:
            rows.append({"what": f"epoch of A: {name}", "note": f"not installed ({missing.name})"})
            continue
        taken = in_turn(rounds, peer=lambda epoch=epoch: seconds(epoch))["peer"]
        for trainer in trainers:
            rows.append({"what": f"epoch of A: {name}", "seconds": taken, "against": trainer["what"],
                         "times slower": taken / trainer["seconds"], "goal": goal})  # fmt: skip
    return rows
