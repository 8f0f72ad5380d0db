"""How many pairs would it take? From the pairs of a finished run: `python -m flows.plan [RUN] [--effect 10]`."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path

from tasks.experiment.results.pairs import errors
from tasks.experiment.results.planning import MOST, POWER, pairs_for_width, pairs_to_see
from tasks.experiment.results.statistics import error_reduction
from tasks.storage.roots import artifacts_root


def main() -> None:
    """Print how many pairs see the effect, and how many have so narrow an interval."""
    parser = ArgumentParser("python -m flows.plan", description="How many pairs it takes, by those of a finished run.")
    parser.add_argument("run", type=Path, nargs="?", help="the run's folder (default: the latest run)")
    parser.add_argument("--effect", type=float, help="the error reduction to see, in percent (default: the one seen)")
    parser.add_argument(
        "--power", type=float, default=POWER, help="in which part of the studies (default: %(default)s)"
    )
    parser.add_argument("--half-width", type=float, default=5, help="of the interval, in points (default: %(default)s)")
    parser.add_argument("--comparisons", type=int, default=1, help="how many are made together (default: %(default)s)")
    given = parser.parse_args()
    run = given.run or artifacts_root() / "latest"
    try:
        scratch, transfer = errors(json.loads((run / "metrics.json").read_text())["replicates"])
    except (OSError, ValueError, KeyError, TypeError):
        sys.exit(f"{run} holds no finished run: give a folder that has a metrics.json")
    if not 0 < given.power < 1 or given.comparisons < 1 or given.half_width <= 0:
        sys.exit("give a power between 0 and 1, one comparison or more, and a half-width above 0")
    seen, n = error_reduction(scratch, transfer), len(scratch)
    if n < 2 or seen is None:
        sys.exit(f"{run} has {n} pair: give a run with 2 or more, whose scratch networks make errors")
    effect = seen if given.effect is None else given.effect
    needed = pairs_to_see(scratch, transfer, given.effect, given.power, given.comparisons)
    print(f"Seen: error reduction {seen:.1f} % in {n} pairs. The fewer they are, the rougher is this plan.")
    print(f"An effect of {effect:.1f} % is seen in {100 * given.power:.0f} % of studies with {_pairs(needed)}.")
    width = pairs_for_width(scratch, transfer, given.half_width)
    print(f"The 95 % interval is about ± {given.half_width:g} points wide with {_pairs(width)}.")


def _pairs(needed: int | None) -> str:
    return f"more than {MOST:,} pairs" if needed is None else f"{needed} pairs"


if __name__ == "__main__":
    main()
