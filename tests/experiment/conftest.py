"""What tests of answers and of reports share: a study's rows, made by hand."""

import numpy as np
import pytest

ARMS = {"scratch": ("random", 0, 0), "transfer": ("A", 3, 4), "probe": ("A", 3, 20)}


def row(seed: int, arm: str, accuracy: float, **changes: object) -> dict:
    body, layers, frozen = ARMS[arm]
    base = {"normalization": "standardize", "classes": "0 2", "negative": 0, "positive": 2, "samples": 200,
            "arm": arm, "body": body, "layers": layers, "frozen_epochs": frozen, "seed": seed,
            "accuracy": accuracy, "loss": 0.5,
            "diverged": False}  # fmt: skip
    return base | changes


@pytest.fixture
def rows() -> list[dict]:
    """Seven seeds: scratch errs 20 %, transfer 10 %, both by a seed's own ± a bit; raw pixels are worse by 10 %."""
    made = []
    for seed, bit in enumerate(np.linspace(-0.01, 0.01, 7)):
        made += [row(seed, "scratch", 0.8 + bit), row(seed, "transfer", 0.9 + bit / 2), row(seed, "probe", 0.8 + bit)]
        made += [row(seed, "scratch", 0.7 + bit, samples=50), row(seed, "transfer", 0.85 + bit, samples=50)]
        made += [row(seed, "scratch", 0.95 + bit, samples=800), row(seed, "transfer", 0.95 + bit, samples=800)]
        made += [row(seed, arm, a + bit, normalization="none") for arm, a in (("scratch", 0.7), ("transfer", 0.8))]
    return made
