"""What repeated cross-validation can tell, though its folds overlap (Nadeau & Bengio 2003, "Inference for the
generalization error"): their corrected resampled t-test, and the interval of an accuracy that follows from it.
"""

import numpy as np

from tasks.experiment.results.statistics.basics import ALPHA, Errors, Interval, accuracy_interval

METHOD = "Wilson's, with as many images as Nadeau & Bengio's corrected variance makes of overlapping folds"


def corrected_standard_error(values: Errors, test_to_train: float) -> Errors:
    """Of the mean of one value per fold, shape (…, folds of all repetitions).

    test_to_train: images that judge a fold, by those that are trained on: training sets that overlap agree, which the
    folds' spread alone does not show.
    """
    return np.asarray(np.sqrt(values.var(-1, ddof=1) * (1 / values.shape[-1] + test_to_train)))


def corrected_resampled_p(differences: Errors, test_to_train: float) -> float:
    """The one-sided p of "their mean is not above zero", differences of shape (folds of all repetitions,)."""
    from scipy.stats import t

    mean, error = float(differences.mean()), float(corrected_standard_error(differences, test_to_train))
    if error == 0:
        return 1.0 if mean <= 0 else 0.0
    return float(t.sf(mean / error, len(differences) - 1))


def effective_images(images: int, folds: int, repetitions: int) -> float:
    """How many independent images would tell an accuracy as precisely as so many in repeated cross-validation."""
    return images / (folds * (1 / (folds * repetitions) + 1 / (folds - 1)))


def cross_validated_interval(
    accuracy: float, images: int, folds: int, repetitions: int, confidence: float = 1 - ALPHA
) -> Interval:
    """Of an accuracy from repeated cross-validation, as a fraction."""
    effective = effective_images(images, folds, repetitions)
    return accuracy_interval(accuracy, effective, confidence) | {"method": METHOD, "n": images}
