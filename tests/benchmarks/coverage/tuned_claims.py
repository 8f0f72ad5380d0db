"""What the tuned arms' answers claim and cover where the truth is known: part of `make coverage`."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from rich.table import Table

from tasks.experiment.results.class_pairs import stratified_reduction
from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.statistics.intervals import ratio_interval
from tests.support.studies import Pairs, claims, covered
from tests.support.tuned_worlds import CHAIN, WORLDS, errors_of, strata

SEEDS = (8, 10, 29, 100)
RESAMPLES = 999


def fixed_sequence(studies: int) -> Iterator[Table]:
    """How often transfer is claimed to be better than each arm before it, and whether shares cover."""
    claimed = Table("made-up studies", *(f"{n} seeds" for n in SEEDS), title="“Helps” in %: against S*, STAT*, RLAB*")
    shares = Table(
        "made-up studies", *(f"{n} seeds" for n in SEEDS), title="Shares of scale, inputs, labels: coverage in % (none)"
    )
    for name, truth in (("same", None), ("scale matters", (100, 0, 0)), ("labels matter", (0, 0, 100))):
        said, found = [], []
        for n in SEEDS:
            rng = np.random.default_rng(1)
            errors = {arm: errors_of(rng, WORLDS[name], arm, (studies, n)) for arm in CHAIN}
            reached, rates = np.ones(studies, bool), []
            for arm in CHAIN[:-1]:
                reached &= claims(errors[arm], errors[CHAIN[-1]]) == "helps"
                rates.append(f"{100 * reached.mean():.1f}")
            said.append(" / ".join(rates))
            total = errors[CHAIN[0]] - errors[CHAIN[-1]]
            limits = [ratio_interval(total, errors[before] - errors[after]) for before, after in pairwise(CHAIN)]
            covers = [covered(*each, share / 100) for each, share in zip(limits, truth or (0, 0, 0), strict=True)]
            none = f"({100 * np.isnan(limits[0][0]).mean():.0f})"
            found.append(f"{' / '.join(f'{100 * each:.1f}' for each in covers)} {none}" if truth else none)
        claimed.add_row(name, *said)
        shares.add_row(name, *found)
    yield claimed
    yield shares


def class_pairs(studies: int) -> Iterator[Table]:
    """The error reduction over all pairs of classes, by rliable's bootstrap, by one of a seed less, and as it is."""
    table = Table(
        "pairs of classes", "seeds", "bootstrap", "of one seed less", "Fieller, stratified", "none",
        title="Coverage in % of the error reduction over all pairs of classes",
    )  # fmt: skip
    for pairs, seeds in ((3, 3), (10, 2), (10, 3), (45, 2), (45, 3), (45, 10)):
        drawn = [strata(n, pairs, seeds, 20) for n in range(min(studies, 1000))]
        resampled = [np.array([bootstrap(*each, draws) for each in drawn]).T for draws in (seeds, seeds - 1)]
        found = [stratified_reduction(*each) for each in drawn]
        low, high = np.array([[each["low"], each["high"]] for each in found], float).T
        covers = [f"{100 * covered(*each, 20):.1f}" for each in (*resampled, (low, high))]
        table.add_row(f"{pairs}", f"{seeds}", *covers, f"{100 * np.isnan(low).mean():.1f}")
    yield table


def bootstrap(scratch: Errors, transfer: Errors, draws: int) -> Pairs:
    """Percentiles of error reductions in percent, with so many seeds drawn in each stratum."""
    strata, seeds = scratch.shape
    rows, columns = (
        np.arange(strata)[:, None],
        np.random.default_rng(0).integers(seeds, size=(RESAMPLES, strata, draws)),
    )
    means = [errors[rows, columns].mean((1, 2)) for errors in (scratch, transfer)]
    low, high = np.quantile(100 * (1 - means[1] / means[0]), [0.025, 0.975])
    return low, high
