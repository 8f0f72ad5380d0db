"""What the rule claims, with an effect and without: of a given number of pairs, and of runs that stop by themselves."""

from collections.abc import Iterator

import numpy as np
from rich.progress import track
from rich.table import Table
from scipy.stats import wilcoxon

from tests.benchmarks.coverage.rows import PAIRS, percent
from tests.support.procedures import run_until_told
from tests.support.studies import HARD_WORLDS, WORLDS, alike, claims, covered, draw


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
