"""Rounds of tuning, by hand: what is tried after what was tried."""

from typing import Any

import pytest

from tasks.experiment.networks.tuning.grid import Grid, Recipe
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import pair_plan
from tasks.experiment.study.tuned.arms import CONTROLS, SCRATCH, TRANSFER
from tasks.experiment.study.tuned.choice import attempts, choose_recipes
from tasks.experiment.study.tuned.plan import TunedPlan, TunedTrial

SELF, LP, LPFT = CONTROLS[0], CONTROLS[3], CONTROLS[4]
PLAN = TunedPlan(
    notebook=pair_plan(Experiment(), resample=True), samples=200, followed=(), source_steps=0,
    trials=tuple(TunedTrial(arm=arm, samples=200) for arm in (SCRATCH, TRANSFER, SELF, LP, LPFT)),
    grid=Grid(rates=(0.01, 0.03, 0.1), widenings=1), penalties=Grid(rates=(1.0, 10.0, 100.0)),
)  # fmt: skip


def tried(arm: str, best: float, *rates: float, seed: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """The error is the lower, the nearer to the best rate, after the second of three numbers of epochs."""
    return [
        {"arm": arm, "budget": 200, "samples": 200, "chosen_by": "cross-validation", "seed": seed,
         "penalty": None, "images": 10**9, "learning_rate": rate, "epochs": epochs,
         "error": abs(rate - best) + abs(epochs - 2) / 100, "loss": 1.0}
        | changes
        for rate in rates for epochs in (1, 2, 3)
    ]  # fmt: skip


def probed(best: float) -> list[dict[str, Any]]:
    return [
        row | {"penalty": row["learning_rate"], "learning_rate": None, "epochs": None}
        for row in tried("LP*", best, 1.0, 10.0, 100.0)
    ]


def names(rows: list[dict[str, Any]]) -> list[tuple[str, tuple[float, ...]]]:
    return [(each.trial.arm.name, each.grid.rates) for each in attempts(PLAN, rows)]


def test_first_all_that_need_no_other_arm_on_their_grids() -> None:
    assert names([]) == [("S*", PLAN.grid.rates), ("T*", PLAN.grid.rates), ("LP*", PLAN.penalties.rates)]


def test_then_those_that_do_and_beyond_an_end_where_the_best_rate_is_there() -> None:
    rates = PLAN.grid.rates
    rows = [*tried("S*", 0.1, *rates), *tried("T*", 0.03, *rates), *probed(10)]
    assert names(rows) == [("S*", (0.3,)), ("LPFT*", rates)]  # SELF* waits for scratch's recipe
    assert attempts(PLAN, rows)[1].needed == Recipe(learning_rate=10, epochs=0)
    rows += tried("S*", 0.1, 0.3) + tried("LPFT*", 0.03, *rates)
    assert names(rows) == [("SELF*", rates)]
    assert attempts(PLAN, rows)[0].needed == Recipe(learning_rate=0.1, epochs=2)
    rows += tried("SELF*", 0.03, *rates)
    assert names(rows) == []
    recipes = {chosen.trial.arm.name: chosen for chosen in choose_recipes(PLAN, rows)}
    assert {name: (each.recipe.learning_rate, each.extended) for name, each in recipes.items()} == {
        "S*": (0.1, 1), "T*": (0.03, 0), "SELF*": (0.03, 0), "LP*": (10, 0), "LPFT*": (0.03, 0),
    }  # fmt: skip
    assert recipes["SELF*"].needed == recipes["S*"].recipe


def test_the_grid_does_not_grow_for_ever() -> None:
    rows = tried("S*", 0.9, *PLAN.grid.rates, 0.3) + tried("T*", 0.03, *PLAN.grid.rates)
    assert "S*" not in dict(names(rows))
    assert choose_recipes(PLAN.model_copy(update={"trials": PLAN.trials[:2]}), rows)[0].recipe.edge == "highest rate"


@pytest.mark.parametrize(("of_first", "best"), [(0.01, 0.01), (0.1, 0.1)])
def test_seeds_choose_together(of_first: float, best: float) -> None:
    rows = tried("S*", of_first, *PLAN.grid.rates)
    rows += [row | {"error": row["error"] / 10} for row in tried("S*", 0.03, *PLAN.grid.rates, seed=2)]
    plan = PLAN.model_copy(update={"trials": PLAN.trials[:1]})
    assert choose_recipes(plan, rows)[0].recipe.learning_rate == best


def test_a_loss_that_is_missing_is_infinite() -> None:
    rows = tried("S*", 0.02, 0.01, loss=None) + tried("S*", 0.02, 0.03)
    plan = PLAN.model_copy(update={"trials": PLAN.trials[:1]})
    assert choose_recipes(plan, rows)[0].recipe.learning_rate == 0.03
