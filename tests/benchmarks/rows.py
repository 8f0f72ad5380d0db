"""What the parts of the benchmark share: contestants timed turn by turn, and the rows of its table."""

import statistics
import time
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]  # what was timed, its figure, and against what
RATIOS = ("times faster", "times slower", "share of its time", "fraction")


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(rounds: int, **contestants: Callable[[], float]) -> dict[str, float]:
    """Median of each contestant's own figure over `rounds`, after a warm-up round, taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, contestant in contestants.items():
            figure = contestant()
            if number:
                taken[name].append(figure)
    return {name: statistics.median(figures) for name, figures in taken.items()}


def found(rows: list[Row], what: str) -> Row:
    """The row with this name."""
    (row,) = [row for row in rows if row["what"] == what]
    return row


def show(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "figure", "ratio", "goal")
    for row in rows:
        figure = f"{row['seconds']:.3f} s" if "seconds" in row else row.get("note") or f"{row['value']:.0f}"
        ratio = " ".join(f"{row[name]:.2f} {name}" for name in RATIOS if name in row)
        against = f" against {row['against']}" if "against" in row else ""
        table.add_row(row["what"], figure, ratio + against, str(row.get("goal", "")))
    Console(width=160).print(table)
