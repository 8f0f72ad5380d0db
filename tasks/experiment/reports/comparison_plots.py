"""The plot of compared runs."""

from collections.abc import Sequence

import numpy as np

from tasks.experiment.reports.comparison import Comparison
from tasks.experiment.reports.figures import COLOURS, Figure, Plot, empty_figure
from tasks.experiment.study.arms import SCRATCH, TRANSFER

COMPARISON_PLOTS: dict[str, Plot[Comparison]] = {
    "answers": Plot(
        "Mean test error of each run from scratch and by transfer, its error reduction, and how many points that is "
        "above run 1's, with 95 % intervals",
        lambda compared: draw_answers(compared),
    ),
}


def draw_answers(compared: Comparison) -> Figure:
    """One row per run, the first on top: errors, error reductions, and paired differences of these."""
    runs, places = compared["runs"], range(len(compared["runs"]))
    figure = empty_figure(10, 1.8 + 0.5 * len(runs))
    errors, reductions, differences = figure.subplots(1, 3, sharey=True)
    both = [[100 * run["scratch_error"], 100 * run["transfer_error"]] for run in runs]
    errors.hlines(places, *np.transpose(both), color="grey", linewidth=1)
    for arm, found in zip((SCRATCH, TRANSFER), np.transpose(both), strict=True):
        errors.plot(found, places, "o", color=COLOURS[arm], label=arm)
    errors.set(xlabel="mean test error in %", yticks=places, yticklabels=[f"run {row + 1}" for row in places])
    errors.set(ylim=(len(runs) - 0.5, -0.5))
    figure.legend(loc="outside upper center", ncols=2)
    intervals = [run["error_reduction"] for run in runs]
    _rows(reductions, [(each["estimate"], each["low"], each["high"]) for each in intervals])
    reductions.set(xlabel="error reduction in %")
    _rows(differences, [(0.0, None, None), *((d["points"], d["low"], d["high"]) for d in compared["differences"])])
    differences.set(xlabel="points above run 1")
    return figure


def _rows(ax: Figure, found: Sequence[tuple[float | None, float | None, float | None]]) -> None:
    """(estimate, low, high) of each run; what is None is not drawn."""
    ax.axvline(0, color="black", linewidth=0.8)
    for row, (estimate, low, high) in enumerate(np.array(found, float)):  # None: NaN
        ax.plot([low, high], [row, row], color=COLOURS[TRANSFER], linewidth=6, alpha=0.3, solid_capstyle="butt")
        ax.plot(estimate, row, "o", color=COLOURS[TRANSFER])
