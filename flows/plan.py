"""How many pairs does it take? Answered from a finished run: `python -m flows.plan [RUN] [--effect P] [--within P]`."""

import sys

from tasks.experiment.reports.metrics import errors_of, read_metrics
from tasks.experiment.results.statistics.planning import pairs_for_width, pairs_to_see
from tasks.orchestration.terminal.command import command_parser
from tasks.storage.runs import LATEST, NoRunError, find_run


def main() -> None:
    """Print how many pairs would see the effect in 9 of 10 studies, and how many would know it to within ± P points."""
    parser = command_parser("flows.plan", __doc__)
    parser.add_argument("run", nargs="?", default=LATEST, help="a run's name or folder, or latest~1 (default: latest)")
    parser.add_argument("--effect", type=float, metavar="P", help="error reduction in percent (default: the one seen)")
    parser.add_argument(
        "--within", type=float, default=5, metavar="P", help="half of the interval's width (default: 5)"
    )
    arguments = parser.parse_args()
    try:
        run = find_run(arguments.run)
    except NoRunError as error:
        sys.exit(str(error))
    try:
        metrics = read_metrics(run)
        scratch, transfer = errors_of(metrics)
    except (OSError, ValueError, KeyError, TypeError):
        sys.exit(f"{run} is not the folder of a finished run: give one, such as artifacts/latest")
    if len(scratch) < 2:
        sys.exit(f"{run} has a single pair, which tells nothing of chance: give a run with two pairs or more")
    effect = (
        "an effect of the size seen" if arguments.effect is None else f"an error reduction of {arguments.effect:g} %"
    )
    to_see = _count(pairs_to_see(scratch, transfer, arguments.effect))
    for_width = _count(pairs_for_width(scratch, transfer, arguments.within))
    print(f"From the {len(scratch)} pairs of {run}:")
    print(f"{to_see} would see {effect} in 9 of 10 studies")
    print(f"{for_width} would know it to within ± {arguments.within:g} points")


def _count(pairs: int | None) -> str:
    return "more than 1,000 pairs" if pairs is None else f"{pairs:,} pairs"


if __name__ == "__main__":
    main()
