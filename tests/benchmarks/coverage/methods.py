"""Ways to make an interval of the error reduction, and what each covers."""

from collections.abc import Callable, Iterator

import numpy as np
from rich.progress import track
from rich.table import Table

from tasks.experiment.results.statistics.basics import Errors
from tests.benchmarks.coverage.rows import PAIRS, percent
from tests.support.studies import HARD_WORLDS, WORLDS, Pairs, bounds, covered, draw

RESAMPLES = 999

Method = Callable[[Errors, Errors], Pairs]


def resamples(scratch: Errors, transfer: Errors) -> Iterator[Pairs]:
    """Bootstrap samples of each study, (1, RESAMPLES, pairs)."""
    rng = np.random.default_rng(0)
    for study in zip(scratch, transfer, strict=True):
        rows = rng.integers(len(study[0]), size=(RESAMPLES, len(study[0])))
        yield study[0][rows], study[1][rows]


def percentile(scratch: Errors, transfer: Errors) -> Pairs:
    """What the project had: percentiles of resampled ratios of means."""
    drawn = [100 * (1 - t.mean(-1) / s.mean(-1)) for s, t in resamples(scratch, transfer)]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    return low, high


def log_ratio(scratch: Errors, transfer: Errors) -> tuple[Errors, Errors]:
    """The logarithm of the ratio of means and its standard error by the delta method."""
    means = scratch.mean(-1, keepdims=True), transfer.mean(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = (transfer / means[1] - scratch / means[0]).std(-1, ddof=1) / np.sqrt(scratch.shape[-1])
        return np.log(means[1] / means[0])[..., 0], error


def t_of_log(scratch: Errors, transfer: Errors) -> Pairs:
    """Student's t of the log ratio."""
    from scipy.stats import t

    log, error = log_ratio(scratch, transfer)
    half = t.ppf(0.975, scratch.shape[-1] - 1) * error
    with np.errstate(over="ignore", invalid="ignore"):
        return 100 * (1 - np.exp(log + half)), 100 * (1 - np.exp(log - half))


def studentized(scratch: Errors, transfer: Errors) -> Pairs:
    """The log ratio with t as the bootstrap finds it; none where most resamples have no spread."""
    log, error = log_ratio(scratch, transfer)
    quantiles = []
    for own, sample in zip(log, resamples(scratch, transfer), strict=True):
        drawn, its_error = log_ratio(*sample)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(its_error > 1e-9, (drawn - own) / its_error, np.sign(drawn - own) * np.inf)
        quantiles.append(
            np.quantile(np.nan_to_num(t, nan=0, posinf=np.inf, neginf=-np.inf), [0.025, 0.975], method="nearest")
        )
    low, high = np.array(quantiles).T
    with np.errstate(over="ignore", invalid="ignore"):
        found = 100 * (1 - np.exp(log - low * error)), 100 * (1 - np.exp(log - high * error))
    return np.where(np.isfinite(found[0]), found[0], np.nan), np.where(np.isfinite(found[1]), found[1], np.nan)


METHODS: dict[str, Method] = {
    "percentile bootstrap": percentile,
    "studentized bootstrap of the log": studentized,
    "t of the log": t_of_log,
    "Fieller": bounds,
}


def methods(studies: int) -> Iterator[Table]:
    """Each method's coverage and half-width in three worlds; the bootstraps take time, so of fewer studies."""
    worlds = {
        name: (WORLDS | HARD_WORLDS)[name] for name in ("100 real pairs", "skewed", "5 % diverge", "skewed scratch")
    }
    for world in worlds:
        table = Table(
            "method",
            *(f"{n} pairs" for n in PAIRS if n != 6),
            title=f"Coverage in % (none, median half-width), {world}",
        )
        for name, method in track(METHODS.items(), world, transient=True):
            cells = []
            for n in PAIRS:
                if n == 6:
                    continue
                low, high = method(*draw(worlds[world], min(studies, 1000) if "boot" in name else studies, n, 25))
                given = np.isfinite(low) & np.isfinite(high)
                width = np.median((high - low)[given]) / 2 if given.any() else np.nan
                cells.append(f"{percent(covered(low, high, 25))} ({percent(1 - given.mean())}, {width:.0f})")
            table.add_row(name, *cells)
        yield table


def coverage(studies: int) -> Iterator[Table]:
    """Fieller's interval in all worlds."""
    for effect in (0, 25):
        table = Table(
            "errors", *(f"{n} pairs" for n in PAIRS), title=f"Coverage of the interval in % (none), effect {effect} %"
        )
        for name, world in (WORLDS | HARD_WORLDS).items():
            found = [bounds(*draw(world, studies, n, effect)) for n in PAIRS]
            table.add_row(name, *(f"{percent(covered(*b, effect))} ({percent(np.isnan(b[0]).mean())})" for b in found))
        yield table
