"""House-keeping by hand: `make prune` keeps the newest runs and what they need."""

import argparse
import sys

from tasks.experiment.reports.index import write_index
from tasks.storage.files import printable
from tasks.storage.in_use import InUseError
from tasks.storage.pruning import prune


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m flows.prune", description=__doc__)
    parser.add_argument("--keep", type=_count, default=20, metavar="N", help="how many runs to keep (default: 20)")
    parser.add_argument("--dry-run", action="store_true", help="only show what would go, and its size")
    given = parser.parse_args()
    try:
        removed = prune(given.keep, dry_run=given.dry_run)
    except InUseError as busy:
        sys.exit(str(busy))
    if not given.dry_run:
        write_index()
    for removal in removed:
        print(f"{removal.bytes / 1e6:9.2f} MB  {printable(removal.name)}")
    print(f"{sum(r.bytes for r in removed) / 1e6:9.2f} MB  {'would go' if given.dry_run else 'removed'} in all")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"keep at least one run, not {number}")
    return number


if __name__ == "__main__":
    main()
