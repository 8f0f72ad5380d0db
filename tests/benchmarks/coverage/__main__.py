"""What intervals cover and what claims err: `python -m tests.benchmarks.coverage [--studies 10000]`.

The tables of DECISIONS.md, "Claims", by simulation; `make test` checks the same with fewer studies. Coverage is of the
intervals that there are; "none" is how often there is none.
"""

import argparse

from rich.console import Console

from tests.benchmarks.coverage.claims import false_claims, stopping
from tests.benchmarks.coverage.intervals import other_intervals
from tests.benchmarks.coverage.methods import coverage, methods
from tests.benchmarks.coverage.plans import nights, plans
from tests.benchmarks.coverage.tuned_claims import class_pairs, fixed_sequence


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
