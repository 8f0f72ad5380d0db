"""Two kinds of "again": what new seeds would give on the same test images, and what they would on new test images.

Whether an answer is wrong depends on the seed, on the image, and on both together: crossed random effects. So the
variance of a mean over all answers is that of the seeds' means plus that of the images' means, less what both contain
(Searle, Casella & McCulloch 1992, "Variance Components", chapter 4).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.results.statistics.basics import ALPHA, Errors, Interval, error_reduction
from tasks.experiment.results.statistics.intervals import FEWEST, fieller, interval, ratio_interval, standard_error

AT_ONCE = 1 << 25  # answers whose residuals are in memory
METHOD = "Fieller's, with the variance of seeds and of test images (crossed random effects)"


def new_images_interval(
    scratch_wrong: NDArray[Any], transfer_wrong: NDArray[Any], confidence: float = 1 - ALPHA
) -> Interval:
    """The error reduction in percent with its interval for new seeds and new images; arrays of shape (pairs, images).

    They tell how wrong each answer is: 0 or 1, or weighted so that their means are the errors.

    It contains the one for new seeds on these images, `error_reduction_interval`, beside which it stands.
    """
    errors = scratch_wrong.mean(1), transfer_wrong.mean(1)
    low, high = ratio_interval(*errors, confidence)
    if len(scratch_wrong) >= FEWEST and scratch_wrong.shape[1] >= 2:
        mean, covariance, quantile = crossed_moments(np.stack([scratch_wrong, transfer_wrong]), confidence)
        lower, higher = fieller(mean, covariance, quantile)
        low, high = np.minimum(low, lower), np.maximum(high, higher)  # NaN where either has none
    bounds = 100 * (1 - high), 100 * (1 - low)
    return interval(error_reduction(*errors), bounds, len(scratch_wrong), confidence, METHOD)


def crossed_moments(wrong: NDArray[Any], confidence: float) -> tuple[Errors, Errors, float]:
    """Of both arms' wrong answers, shape (2, pairs, images): means (2,), their covariance, and Student's t.

    Its degrees of freedom are Satterthwaite's, of the variance of the mean difference at the ratio that was found.
    """
    from scipy.stats import t

    n, m = wrong.shape[1:]
    mean, of_seeds, of_images = wrong.mean((1, 2)), wrong.mean(2), wrong.mean(1)
    degrees, both = np.array([n - 1, m - 1, (n - 1) * (m - 1)]), np.zeros((2, 2))
    pairs = max(1, AT_ONCE // (2 * m))
    for some in (slice(first, first + pairs) for first in range(0, n, pairs)):
        rest = wrong[:, some] - of_seeds[:, some, None] - of_images[:, None, :] + mean[:, None, None]
        both += np.einsum("aij,bij->ab", rest, rest)
    both = both / max(degrees[2], 1) / (n * m)
    parts = np.stack([np.cov(of_seeds) / n, np.cov(of_images) / m, -both])
    variances = np.array([standard_error(part, mean[1] / max(mean[0], 1e-9)) ** 2 for part in (*parts[:2], both)])
    if variances[1] <= variances[2]:  # an estimate of the images' variance may come out below zero: then it is none
        parts, variances, degrees = parts[:1], variances[:1], degrees[:1]
    total = standard_error(parts.sum(0), mean[1] / max(mean[0], 1e-9)) ** 2
    found = total**2 / max((variances**2 / degrees).sum(), 1e-300)
    return mean, parts.sum(0), float(t.ppf((1 + confidence) / 2, max(found, n - 1)))
