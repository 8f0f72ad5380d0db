"""What transfer is worth in labels: accuracy against the number of images, and where scratch catches up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.results.statistics import RESAMPLES, Errors, percentile_bootstrap

METHOD = f"interpolated in the logarithm of the number of images, seeds resampled {RESAMPLES:,} times, percentiles"


def mean_with_band(errors: Errors) -> dict[str, Any]:
    """Mean accuracy of runs, errors of shape (runs,), with the percentile bootstrap's interval."""
    low, high = percentile_bootstrap(lambda e, axis: 1 - e.mean(axis), errors) if len(errors) > 1 else (None, None)
    return {"accuracy": float(1 - errors.mean()), "low": low, "high": high}


def equivalent_samples(samples: NDArray[np.int64], scratch: Errors, transfer: Errors) -> dict[str, Any]:
    """How many images scratch needs for transfer's mean error, with a 95 % interval.

    samples: the budgets, shape (budgets,), ascending; scratch: (budgets, seeds); transfer: (seeds,) of the same seeds.
    An end of the budgets means "so few, or fewer" or "so many, or more": see `smallest` and `largest`.
    """

    def catch_up(chosen: NDArray[np.int64], axis: int = -1) -> Errors:
        """For seeds `chosen`, (…, seeds): the number of images, (…)."""
        curves = np.maximum.accumulate(-scratch[:, chosen].mean(axis), axis=0)  # more images never count as worse
        goals = -transfer[chosen].mean(axis)
        flat = curves.reshape(len(samples), -1).T, np.ravel(goals)
        logs = [np.interp(goal, curve, np.log(samples)) for curve, goal in zip(*flat, strict=True)]
        return np.exp(logs).reshape(np.shape(goals))

    seeds = np.arange(len(transfer))
    low, high = percentile_bootstrap(catch_up, seeds) if len(seeds) > 1 else (None, None)
    return {"estimate": float(catch_up(seeds)), "low": low, "high": high, "confidence": 0.95, "method": METHOD,
            "n": len(seeds), "smallest": int(samples[0]), "largest": int(samples[-1])}  # fmt: skip
