"""House-keeping by hand: `make prune` keeps the newest runs and what they need."""

import argparse
import sys
from itertools import groupby

from tasks.experiment.reports.index import write_index
from tasks.orchestration.terminal.command import command_parser
from tasks.storage.files import printable
from tasks.storage.in_use import InUseError
from tasks.storage.pruning import Removal, prune


def main() -> None:
    parser = command_parser("flows.prune", __doc__)
    parser.add_argument("--keep", type=_count, default=20, metavar="N", help="how many runs to keep (default: 20)")
    parser.add_argument(
        "--dry-run", action="store_true", help="only show what would go: how much of each kind, and from when"
    )
    given = parser.parse_args()
    try:
        removed = prune(given.keep, dry_run=given.dry_run)
    except InUseError as busy:
        sys.exit(str(busy))
    if not given.dry_run:
        write_index()
    for kind, group in groupby(sorted(removed, key=lambda removal: removal.kind), key=lambda removal: removal.kind):
        print(_summary(kind, list(group)))
    print(f"{_megabytes(removed)}  {'would go' if given.dry_run else 'removed'} in all")


def _summary(kind: str, removed: list[Removal]) -> str:
    days = sorted(removal.day for removal in removed if removal.day)
    of = f", of {days[0]}" + (f" to {days[-1]}" if days[-1] > days[0] else "") if days else ""
    return f"{_megabytes(removed)}  {printable(kind)}: {len(removed):,}{of}"


def _megabytes(removed: list[Removal]) -> str:
    return f"{sum(removal.bytes for removal in removed) / 1e6:9.2f} MB"


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"keep at least one run, not {number}")
    return number


if __name__ == "__main__":
    main()
