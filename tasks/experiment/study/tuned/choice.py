"""What is still to be tried, and which recipes follow from all that was: pure functions of the rows so far."""

import math
from collections.abc import Iterable
from typing import Any

from tasks.experiment.networks.tuning.grid import Recipe, Tried, choose
from tasks.experiment.study.tuned.plan import Attempt, Chosen, TunedPlan, TunedTrial

Row = dict[str, Any]  # one point that was tried of a trial: see tabulate_tuning; and budget, the trial's samples
Key = tuple[str | None, int | None, str]


def attempts(plan: TunedPlan, rows: Iterable[Row]) -> list[Attempt]:
    """What to try next; nothing once every trial has its recipe.

    A trial is tried on its grid, once the arm that it needs has its recipe, and then beyond an end of the grid as long
    as its best rate is there.
    """
    tried = _by_trial(rows)
    found = {}
    for trial in plan.trials:
        rates = _rates_left(plan, trial, tried)
        needed = _recipe_needed(plan, trial, tried)
        if rates and (needed or not trial.arm.needs):
            grid = plan.grid_of(trial.arm).model_copy(update={"rates": rates})
            found[trial.key] = Attempt(trial=trial, grid=grid, needed=needed)
    return list(found.values())


def choose_recipes(plan: TunedPlan, rows: Iterable[Row]) -> list[Chosen]:
    """Every trial's recipe. All must have been tried."""
    tried = _by_trial(rows)
    return [
        Chosen(
            trial=trial, recipe=choose(tried[trial.key]), needed=_recipe_needed(plan, trial, tried),
            extended=len({each["learning_rate"] for each in tried[trial.key]} - set(plan.grid_of(trial.arm).rates)),
        )
        for trial in plan.trials
    ]  # fmt: skip


def _by_trial(rows: Iterable[Row]) -> dict[Key, list[Tried]]:
    tried: dict[Key, list[Tried]] = {}
    for row in rows:
        loss = math.inf if row["loss"] is None else row["loss"]
        rate, epochs = row["learning_rate"] or row["penalty"], row["epochs"] or 0
        point = Tried(learning_rate=rate, epochs=epochs, images=row["images"], error=row["error"], loss=loss)
        tried.setdefault((row["arm"], row["budget"], row["chosen_by"]), []).append(point)
    return tried


def _rates_left(plan: TunedPlan, trial: TunedTrial, tried: dict[Key, list[Tried]]) -> tuple[float, ...]:
    grid, mine = plan.grid_of(trial.arm), tried.get(trial.key)
    return grid.wider(choose(mine)) if mine else grid.rates


def _recipe_needed(plan: TunedPlan, trial: TunedTrial, tried: dict[Key, list[Tried]]) -> Recipe | None:
    """The recipe of the arm that the trial needs, once there is no more to try of it."""
    for other in plan.trials:
        if other.key == trial.needed and not _rates_left(plan, other, tried):
            return choose(tried[other.key])
    return None
