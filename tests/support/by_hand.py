"""A study's problem and its rows, made by hand."""

import numpy as np

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.fashion_mnist import CLASS_NAMES
from tasks.experiment.data.splits import Problem
from tasks.experiment.settings import Experiment
from tasks.storage.artifacts import Artifact

EXPERIMENT = Experiment()
B = Problem(
    data=DataSet(classes=CLASS_NAMES, image_shape=(28, 28), validation_images=5_000),
    classes=(0, 2),
    examples=None,
    start=Artifact(path=f"store/normalize/{'0' * 16}", digest="0" * 64),
)
ARMS = {"scratch": ("random", 0, 0), "transfer": ("A", 3, 4), "probe": ("A", 3, 20)}


def row(seed: int, arm: str, accuracy: float, **changes: object) -> dict:
    body, layers, frozen = ARMS[arm]
    base = {"normalization": "standardize", "classes": "0 2", "negative": 0, "positive": 2, "samples": 200,
            "arm": arm, "body": body, "layers": layers, "frozen_epochs": frozen, "seed": seed,
            "accuracy": accuracy, "loss": 0.5,
            "diverged": False}  # fmt: skip
    return base | changes


def study_rows() -> list[dict]:
    """Seven seeds: scratch errs 20 %, transfer 10 %, both by a seed's own ± a bit; raw pixels are worse by 10 %."""
    made = []
    for seed, bit in enumerate(np.linspace(-0.01, 0.01, 7)):
        made += [row(seed, "scratch", 0.8 + bit), row(seed, "transfer", 0.9 + bit / 2), row(seed, "probe", 0.8 + bit)]
        made += [row(seed, "scratch", 0.7 + bit, samples=50), row(seed, "transfer", 0.85 + bit, samples=50)]
        made += [row(seed, "scratch", 0.95 + bit, samples=800), row(seed, "transfer", 0.95 + bit, samples=800)]
        made += [row(seed, arm, a + bit, normalization="none") for arm, a in (("scratch", 0.7), ("transfer", 0.8))]
    return made
