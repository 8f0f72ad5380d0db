"""What one model's answers on task B's test images are worth.

Probabilities are float32: of the positive class, shape (images,), if there are two classes, else (images, classes).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BYTES_AT_ONCE = 1 << 26  # of images as float32, all that a model of such images should have to hold


def predict(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The model's probabilities."""
    batch = max(1, BYTES_AT_ONCE // (4 * images[0].size))
    outputs = np.concatenate([np.asarray(model(images[i : i + batch])) for i in range(0, len(images), batch)])
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs


def decide(probabilities: NDArray[np.float32]) -> NDArray[np.int32]:
    """The class that is answered, shape (images,). Of a diverged network (NaN) it is the first."""
    if probabilities.ndim == 1:
        return (probabilities > 0.5).astype(np.int32)
    return np.argmax(np.nan_to_num(probabilities), axis=1).astype(np.int32)


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> dict[str, Any]:
    """Accuracy, mean cross-entropy, and confusion[true][predicted]; labels of shape (images,)."""
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    of_truth = np.where(labels == 1, p, 1 - p) if p.ndim == 1 else p[np.arange(len(labels)), labels]
    answers = decide(probabilities)
    classes = range(2 if p.ndim == 1 else p.shape[1])
    confusion = [[int(np.sum((labels == t) & (answers == a))) for a in classes] for t in classes]
    return {
        "accuracy": float(np.mean(answers == labels)),
        "loss": float(-np.mean(np.log(of_truth))),
        "confusion": confusion,
    }
