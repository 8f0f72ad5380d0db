"""A converged linear probe: L2-penalized logistic regression on the last hidden layer, as a network's head."""

import math

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.networks.bodies.cutting import is_nested
from tasks.experiment.networks.bodies.frozen import head_inputs
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.tuning.grid import Grid, Tried
from tasks.experiment.scores import Labels, Probabilities, score

UNSEEN = 10.0  # logit: how sure the probe is that it will never see a class of which it has no image

Features = NDArray[np.float32]  # (images, units of the last hidden layer)
Head = tuple[NDArray[np.float32], NDArray[np.float32]]  # kernel and bias, as the network's last layer has them


def features(model: Network, images: NDArray[np.uint8]) -> Features:
    """What the network's head gets."""
    import keras

    if any(map(is_nested, model.layers)):  # a body that was brought, which may be large
        return head_inputs(model, images).reshape(len(images), -1)
    return predict(keras.Model(model.inputs[0], model.layers[-1].input), images).reshape(len(images), -1)


def fit_head(inputs: Features, labels: Labels, classes: int, penalty: float) -> Head:
    """The head with the lowest sum of losses plus penalty/2 times the squared kernel (the bias is free)."""
    from sklearn.linear_model import LogisticRegression

    present = np.unique(labels)
    bias = np.full(classes, -UNSEEN)
    kernel = np.zeros((inputs.shape[1], classes))
    bias[present] = 0
    if len(present) > 1:
        fitted = LogisticRegression(C=1 / penalty, max_iter=10_000).fit(inputs.astype(np.float64), labels)
        for_each = fitted.coef_, fitted.intercept_
        coefficients, intercepts = (np.concatenate([-v, v]) / 2 if len(present) == 2 else v for v in for_each)
        kernel[:, present], bias[present] = coefficients.T, intercepts
    if classes == 2:  # one sigmoid unit, the logit of class 1
        kernel, bias = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
    return kernel.astype(np.float32), bias.astype(np.float32)


def answer(inputs: Features, head: Head) -> Probabilities:
    """Probabilities as the network with this head gives them."""
    from scipy.special import expit, softmax

    logits = inputs @ head[0] + head[1]
    return expit(logits[:, 0]) if logits.shape[1] == 1 else softmax(logits, axis=1)


def cross_validate_probe(
    inputs: Features, labels: Labels, classes: int, folds: NDArray[np.intp], grid: Grid
) -> list[Tried]:
    """Each penalty, by the images that a fold's probe was not fitted on; it stands in the place of a learning rate."""
    tried = []
    for penalty in grid.rates:
        parts = [(folds != fold, folds == fold) for fold in range(folds.max() + 1)]
        heads = (fit_head(inputs[training], labels[training], classes, penalty) for training, _ in parts)
        scores = [score(answer(inputs[out], head), labels[out]) for head, (_, out) in zip(heads, parts, strict=True)]
        weights = [out.sum() for _, out in parts]
        error = 1 - np.average([s[grid.metric] for s in scores], weights=weights)
        loss = np.average([math.inf if s["loss"] is None else s["loss"] for s in scores], weights=weights)
        tried.append(Tried(learning_rate=penalty, epochs=0, images=len(labels), error=float(error), loss=float(loss)))
    return tried
