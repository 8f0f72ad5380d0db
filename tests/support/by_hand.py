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
            "chosen_by": "notebook", "learning_rate": 0.001, "epochs": 20,
            "accuracy": accuracy, "balanced_accuracy": accuracy - 0.05, "roc_auc": (1 + accuracy) / 2, "loss": 0.5,
            "diverged": False}  # fmt: skip
    return base | changes


def study_rows() -> list[dict]:
    """Seven seeds: scratch errs 20 %, transfer 10 %, each ± a bit of the seed's own; raw pixels are worse by 10 %."""
    made = []
    bits = np.linspace(-0.01, 0.01, 7)
    for seed, (bit, other) in enumerate(zip(bits, np.roll(bits, 3), strict=True)):
        made += [
            row(seed, "scratch", 0.8 + bit),
            row(seed, "transfer", 0.9 + other / 2),
            row(seed, "probe", 0.8 + bit + other / 20),
        ]
        made += [row(seed, "scratch", 0.7 + bit, samples=50), row(seed, "transfer", 0.85 + other, samples=50)]
        made += [row(seed, "scratch", 0.95 + bit, samples=800), row(seed, "transfer", 0.95 + other, samples=800)]
        made += [row(seed, "scratch", 0.7 + bit, normalization="none")]
        made += [row(seed, "transfer", 0.8 + other, normalization="none")]
    return made
