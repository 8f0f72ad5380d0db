"""What intervals cover and what claims err: `python -m tests.benchmarks.coverage [--studies 10000]`.

The tables of DECISIONS.md, "Claims", by simulation; `make test` checks the same with fewer studies. Coverage is of the
intervals that there are; "none" is how often there is none.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import wilcoxon

from tasks.experiment.results.budgets import budget_interval
from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.statistics.intervals import difference_interval, error_reduction_interval, share_interval
from tasks.experiment.results.statistics.new_images import new_images_interval
from tasks.experiment.results.statistics.planning import MOST, pairs_for_width, pairs_to_see
from tests.benchmarks.tuned_claims import class_pairs, fixed_sequence
from tests.support.procedures import (
    BUDGETS,
    learning_curve,
    nights_outside,
    run_until_told,
    same_seeds,
    wrong_answers,
)
from tests.support.studies import (
    HARD_WORLDS,
    REAL,
    WORLDS,
    Pairs,
    alike,
    bounds,
    claims,
    covered,
    draw,
)

PAIRS = (2, 3, 5, 6, 10, 29, 100)
RESAMPLES = 999
Method = Callable[[Errors, Errors], Pairs]


def percent(part: float) -> str:
    return "–" if np.isnan(part) else f"{100 * part:.1f}"


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


def false_claims(studies: int) -> Iterator[Table]:
    """What the rule says without an effect, at the margin, and with an effect; and what Wilcoxon's test would add."""
    table = Table(
        "errors",
        *(f"{n} pairs" for n in PAIRS),
        title="A direction claimed without any effect, in % (and p ≤ 0.05 by Wilcoxon)",
    )
    for name, world in (WORLDS | HARD_WORLDS).items():
        cells = []
        for n in PAIRS:
            scratch, transfer = draw(world, studies, n, 0)
            directions = np.isin(claims(scratch, transfer), ("helps", "hurts"))
            differences = np.round(scratch - transfer, 12)[directions]
            too = wilcoxon(differences, axis=-1, method="exact").pvalue <= 0.05 if len(differences) else np.zeros(0)
            cells.append(f"{percent(directions.mean())} ({percent(too.sum() / studies)})")
        table.add_row(name, *cells)
    yield table
    table = Table("errors, effect", *(f"{n} pairs" for n in PAIRS), title="“Too small to matter” in %")
    for effect in (0, 2, 5, 7):
        said = [(claims(*draw(alike, studies, n, effect)) == "too small to matter").mean() for n in PAIRS]
        table.add_row(f"that hardly vary, {effect} %", *map(percent, said))
    table.add_row(
        "100 real pairs, 0 %",
        *(
            percent((claims(*draw(WORLDS["100 real pairs"], studies, n, 0)) == "too small to matter").mean())
            for n in PAIRS
        ),
    )
    yield table
    table = Table("effect", *(f"{n} pairs" for n in PAIRS), title="“Helps” in %, 100 real pairs")
    for effect in (5, 10, 15, 25, 40):
        said = [(claims(*draw(WORLDS["100 real pairs"], studies, n, effect)) == "helps").mean() for n in PAIRS]
        table.add_row(f"{effect} %", *map(percent, said))
    yield table


def stopping(studies: int) -> Iterator[Table]:
    """Runs that go on until they can tell."""
    for most in (29, 100):
        table = Table(
            "errors",
            "effect",
            "helps",
            "hurts",
            "too small",
            "mean pairs",
            "covers",
            "mean estimate",
            title=f"Runs of at most {most} pairs that stop by themselves, %",
        )
        worlds = {**WORLDS, **HARD_WORLDS, "that hardly vary": alike}
        for name, world in track(worlds.items(), f"at most {most}", transient=True):
            for effect in (
                (0, 10, 25, 40)
                if name in ("100 real pairs", "like the seen")
                else (0, 5)
                if world is alike
                else (0, 25)
            ):
                scratch, transfer = draw(world, studies, most, effect)
                stopped = run_until_told(scratch, transfer)
                ends = np.arange(most) < stopped.pairs[:, None]
                estimate = 100 * (1 - np.sum(transfer * ends, 1) / np.sum(scratch * ends, 1))
                said = [percent((stopped.says == each).mean()) for each in ("helps", "hurts", "too small to matter")]
                table.add_row(
                    name,
                    f"{effect}",
                    *said,
                    f"{stopped.pairs.mean():.1f}",
                    percent(covered(stopped.low, stopped.high, effect)),
                    f"{estimate.mean():.1f}",
                )
        yield table


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


def plans(studies: int) -> Iterator[Table]:
    """Planned from all 100 real pairs, and from 5 of them; what it comes to."""
    table = Table(
        "effect %",
        "pairs",
        "seen in %",
        "planned from 5 pairs: 10 %, median, 90 % of the plans",
        title="Pairs to see an effect in 9 of 10 studies",
    )
    for effect in (40, 25, 20, 15, 10):
        needed = pairs_to_see(*REAL, effect) or MOST
        says = claims(*draw(WORLDS["100 real pairs"], studies, needed, effect))
        few = draw(WORLDS["100 real pairs"], 300, 5, effect)
        rough = [pairs_to_see(s, t) or MOST for s, t in zip(*few, strict=True)]
        table.add_row(
            f"{effect}",
            f"{needed}",
            percent((says == "helps").mean()),
            " ".join(f"{q:.0f}" for q in np.quantile(rough, [0.1, 0.5, 0.9])),
        )
    yield table
    table = Table(
        "half-width", "pairs", "mean half-width found", title="Pairs for an interval of such a half-width, points"
    )
    for half in (20, 10, 5, 3):
        needed = pairs_for_width(*REAL, half) or MOST
        low, high = bounds(*draw(WORLDS["100 real pairs"], studies, needed, 25.4))
        table.add_row(f"{half}", f"{needed}", f"{np.mean(high - low) / 2:.1f}")
    yield table


def nights(studies: int) -> Iterator[Table]:
    """200 nights without a change, and after 20 of them with one."""
    table = Table(
        "errors",
        "all",
        "2nd night",
        "nights 2 – 10",
        title="Nights outside of their range in %, 5 pairs, other weights every night, no change",
    )
    histories = max(50, min(300, studies // 30))
    for name, world in track(WORLDS.items(), "nights", transient=True):
        outside = nights_outside(*world(np.random.default_rng(1), (histories, 200, 5), 25))
        table.add_row(name, percent(outside.mean()), percent(outside[:, 0].mean()), percent(outside[:, :9].mean()))
    yield table
    effects = (23, 20, 17.5, 15, 10, 0, -25, -50, 50, 60)
    table = Table(
        "images that change",
        *(f"{e} %" for e in effects),
        title="Found in %, 20 nights of 25 %, then another answer; 5 pairs",
    )
    for noise in (2, 6, 20, 40):
        before = same_seeds(np.random.default_rng(2), WORLDS["100 real pairs"], (300, 21, 5), noise, 25)
        now = [(before[0], before[1] * (1 - effect / 100) / 0.75) for effect in effects]
        table.add_row(f"{noise} of 2,000", *(percent(nights_outside(*before, each)[:, -1].mean()) for each in now))
    yield table


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.coverage", description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000, help="simulated for each figure")
    studies = parser.parse_args().studies
    console = Console(width=200)
    parts = (coverage, methods, false_claims, stopping, other_intervals, plans, nights, fixed_sequence, class_pairs)
    for part in parts:
        for table in part(studies):
            console.print(table)


if __name__ == "__main__":
    main()
