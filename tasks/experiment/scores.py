"""What one model's answers on task B's test images are worth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def predict(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probability of the positive class, shape (images,)."""
    return np.asarray(model(images))[:, 0]


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> dict[str, Any]:
    """Accuracy, mean cross-entropy, and confusion[true][predicted]; both arguments of shape (images,)."""
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    answers = probabilities > 0.5
    confusion = [[int(np.sum((labels == t) & (answers == a))) for a in (0, 1)] for t in (0, 1)]
    return {
        "accuracy": float(np.mean(answers == labels)),
        "loss": float(-np.mean(np.where(labels == 1, np.log(p), np.log(1 - p)))),
        "confusion": confusion,
    }
