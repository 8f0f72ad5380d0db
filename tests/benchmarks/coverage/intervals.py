"""The other intervals: new test images, shares, what transfer is worth in labels, differences."""

from collections.abc import Iterator

import numpy as np
from rich.progress import track
from rich.table import Table

from tasks.experiment.results.budgets import budget_interval
from tasks.experiment.results.statistics.intervals import difference_interval, error_reduction_interval, share_interval
from tasks.experiment.results.statistics.new_images import new_images_interval
from tests.benchmarks.coverage.rows import percent
from tests.support.procedures import BUDGETS, learning_curve, wrong_answers
from tests.support.studies import WORLDS, covered, draw


def other_intervals(studies: int) -> Iterator[Table]:
    """New images, shares, what transfer is worth in labels, differences."""
    rng = np.random.default_rng(1)
    some = min(studies, 1000)
    table = Table(
        "pairs",
        "images",
        "new seeds and images",
        "none",
        "new seeds only",
        title="Coverage in % where seeds and test images are new",
    )
    for n, m in track([(n, m) for n in (3, 5, 10, 29, 100) for m in (100, 500, 2000)], "new images", transient=True):
        both, only = [], []
        for _ in range(some if n * m < 50_000 else 200):
            wrong, effect = wrong_answers(rng, n, m)
            for kept, found in ((both, new_images_interval(*wrong)), (only, error_reduction_interval(*wrong.mean(2)))):
                kept.append((np.nan, np.nan) if found["low"] is None else (found["low"], found["high"]))
        new, same = np.array(both).T, np.array(only).T
        table.add_row(
            f"{n}",
            f"{m}",
            percent(covered(*new, effect)),
            percent(np.isnan(new[0]).mean()),
            percent(covered(*same, effect)),
        )
    yield table
    table = Table(
        "seeds",
        "share: covers",
        "none",
        "without a gain: none",
        "worth in labels: covers",
        "difference: covers",
        title="Other intervals, %",
    )
    for n in (3, 5, 10, 29, 100):
        shares = {gain: np.array([share(rng, n, gain) for _ in range(some)]).T for gain in (0.04, 0)}
        worth = np.array([budget_interval(BUDGETS, *learning_curve(rng, n, 200)) for _ in range(some)]).T
        before, after = (
            draw(WORLDS["100 real pairs"], studies, n, effect, seed) for effect, seed in ((25, 1), (40, 2))
        )
        _, *limits = difference_interval(before, after)
        none = [np.isnan(shares[gain][0]).mean() for gain in (0.04, 0)]
        found = covered(*shares[0.04], 40), *none, covered(*worth, 200), covered(*limits, 15)
        table.add_row(f"{n}", *map(percent, found))
    yield table


def share(rng: np.random.Generator, seeds: int, gain: float) -> tuple[float, float]:
    """The interval of one study's share, of which 40 % are true; NaN where there is none."""
    errors = 0.12 + 0.01 * rng.standard_normal(seeds) + 0.01 * rng.standard_normal((3, seeds))
    found = share_interval(errors[0], errors[1] - 0.4 * gain, errors[2] - gain)
    low, high = found["low"], found["high"]
    return (np.nan, np.nan) if low is None or high is None else (low, high)
