"""What the parts of the benchmark share: contestants timed turn by turn, and the rows of its table."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# How a row's figure compares with another row's; all but the first are shares of it.
COMPARISONS = {
    "times faster": "{:.2f} × faster than {}",
    "times slower": "{:.2f} × slower than {}",
    "share of its time": "{:.2f} of the time of {}",
    "fraction": "{:.2f} of {}",
}


@dataclass(frozen=True)
class Row:
    """What was measured, its figure (None: `note` says why), and how that compares with another row's.

    goal: of the ratio; of the figure where nothing is compared.
    """

    what: str
    figure: float | None
    compared: str = ""  # one of COMPARISONS
    against: "Row | None" = None
    goal: float | None = None
    unit: str = "s"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        if self.against is None or not self.figure or not self.against.figure:
            return None
        share = self.figure / self.against.figure
        return 1 / share if self.compared == "times faster" else share

    def described(self) -> dict[str, Any]:
        """As JSON has it: the other row by its name, nothing that is empty."""
        told = vars(self) | {"against": self.against and self.against.what, "ratio": self.ratio}
        return {name: value for name, value in told.items() if value not in (None, "")}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(rounds: int, *, warm_up: bool = True, **contestants: Callable[[], float]) -> dict[str, float]:
    """Median of each contestant's own figure over `rounds`, taking turns; the first of them after a warm-up round."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(-warm_up, rounds):
        for name, contestant in contestants.items():
            figure = contestant()
            if number >= 0:
                taken[name].append(figure)
    return {name: statistics.median(figures) for name, figures in taken.items()}


def show(rows: list[Row], title: str | None = None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "figure", "ratio", "goal", title=title)
    for row in rows:
        digits = 3 if row.unit == "s" else 0
        figure = f"{row.figure:.{digits}f} {row.unit}" if row.figure is not None else ""
        told = [COMPARISONS[row.compared].format(row.ratio, row.against.what)] if row.against and row.ratio else []
        goal = "" if row.goal is None else f"{row.goal:g}"
        table.add_row(row.what, figure, "; ".join([*told, *([row.note] if row.note else [])]), goal)
    Console(width=160).print(table)
