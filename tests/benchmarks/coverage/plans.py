"""What a plan of pairs comes to, and what nights find."""

from collections.abc import Iterator

import numpy as np
from rich.progress import track
from rich.table import Table

from tasks.experiment.results.statistics.planning import MOST, pairs_for_width, pairs_to_see
from tests.benchmarks.coverage.rows import percent
from tests.support.procedures import nights_outside, same_seeds
from tests.support.studies import REAL, WORLDS, bounds, claims, draw


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
