import math

import numpy as np
import pytest

from tasks.experiment.data.splits import Examples, Problem
from tasks.experiment.settings import Experiment
from tasks.experiment.study.tuned.arms import (
    BUDGETS,
    GRID,
    PENALTIES,
    QUICK_GRID,
    QUICK_SEEDS,
    SEEDS,
    fixed_arms,
    full_tuned_plan,
    pair_tuned_plan,
    tuned_arms,
)
from tasks.experiment.study.tuned.plan import TunedPlan
from tests.support import by_hand

EXPERIMENT = Experiment()


def plan(experiment: Experiment = EXPERIMENT, quick: bool = False) -> TunedPlan:
    return full_tuned_plan(experiment, by_hand.B, by_hand.B, resample=True, quick=quick)


@pytest.fixture(autouse=True)
def _parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Task B has 1,500 images to label."""
    pool = Examples(np.arange(1500, dtype=np.int32), np.arange(1500, dtype=np.int32) % 2)
    monkeypatch.setattr(Problem, "parts", lambda self: {"pool": pool, "training": pool})


def test_the_tuned_arms_are_those_that_were_asked_for() -> None:
    assert {arm.name: (arm.body, arm.probe, arm.tuned, arm.needs) for arm in tuned_arms(EXPERIMENT)} == {
        "S*": ("random", False, True, None),
        "T*": ("A", False, True, None),
        "SELF*": ("B", False, True, "S*"),
        "STAT*": ("like A", False, True, None),
        "RLAB*": ("permuted A", False, True, None),
        "LP*": ("A", True, False, None),
        "LPFT*": ("A", True, True, "LP*"),
    }
    fixed = {arm.name: (arm.body, arm.layers, arm.frozen_epochs) for arm in fixed_arms(EXPERIMENT)}
    assert fixed == {"STAT20": ("like A", 3, 4), "RLAB20": ("permuted A", 3, 4)}


def test_a_model_of_the_users_has_no_labels_to_permute() -> None:
    own = EXPERIMENT.vary(source_model="mine.keras")
    assert "RLAB*" not in {arm.name for arm in tuned_arms(own)}
    assert [arm.name for arm in fixed_arms(own)] == ["STAT20"]
    assert not plan(own).permutes
    assert plan().permutes


def test_every_arm_says_what_it_is_and_that_is_in_no_cache_key() -> None:
    said = [arm.says for arm in (*tuned_arms(EXPERIMENT), *fixed_arms(EXPERIMENT))]
    assert len(set(said)) == len(said)
    assert "says" not in plan().model_dump_json()


def test_no_reported_seed_chooses_a_recipe() -> None:
    assert min(SEEDS) > 2**31 + 1000  # the settings' last seed
    assert set(QUICK_SEEDS) < set(SEEDS)


def test_tuning_is_what_was_promised() -> None:
    """Five folds, three decades of rates; 10 and 30 images among the budgets, and all there are."""
    assert GRID.folds == PENALTIES.folds == 5
    assert max(GRID.rates) / min(GRID.rates) >= 1000
    assert set(QUICK_GRID.rates) < set(GRID.rates)
    assert {10, 20, 30, None} <= set(BUDGETS)


@pytest.mark.parametrize("quick", [False, True])
def test_every_arm_is_tuned_on_the_same_grid_and_the_probe_on_as_many_penalties(quick: bool) -> None:
    tuned = plan(quick=quick)
    grids = {trial.arm.name: tuned.grid_of(trial.arm) for trial in tuned.trials}
    assert {name: grid for name, grid in grids.items() if grid != (QUICK_GRID if quick else GRID)} == {"LP*": PENALTIES}
    assert len(PENALTIES.rates) == len(GRID.rates)


def test_every_budget_that_task_b_has_images_for_is_tuned_for_scratch_and_transfer() -> None:
    trials = plan().trials
    for name in ("S*", "T*"):
        budgets = [t.samples for t in trials if t.arm.name == name and t.chosen_by == "cross-validation"]
        assert set(budgets) == {*(n for n in BUDGETS if n is None or n < 1500)}
        assert len(budgets) == len(set(budgets))
    assert {t.arm.name for t in trials if t.samples == 200} == {arm.name for arm in tuned_arms(EXPERIMENT)}
    assert {t.arm.name for t in trials if t.chosen_by == "validation images"} == {"S*", "T*"}
    assert {t.arm.name for t in trials if t.curve} == {"S*", "T*", "SELF*", "STAT*", "RLAB*", "LPFT*"}
    assert len({t.key for t in trials}) == len(trials)
    assert len(plan(quick=True).trials) < len(trials)


def test_a_quick_study_does_not_follow_scratch_for_as_long_as_a_was_trained() -> None:
    A = by_hand.B.model_copy(update={"examples": by_hand.B.start})  # what it has in its parts is made up
    full, quick = (full_tuned_plan(EXPERIMENT, A, by_hand.B, resample=True, quick=quick) for quick in (False, True))
    assert (full.source_steps, quick.source_steps) == (20 * math.ceil(1500 / 32), 0)


def test_balanced_budgets_count_images_of_each_class() -> None:
    assert 1_000 not in {t.samples for t in plan(EXPERIMENT.vary(balanced=True)).trials}  # there are 750 of each


def test_other_pairs_of_classes_tune_scratch_and_transfer_only() -> None:
    pair = pair_tuned_plan(EXPERIMENT, resample=True, quick=False)
    assert [(t.arm.name, t.samples, t.curve) for t in pair.trials] == [("S*", 200, False), ("T*", 200, False)]
    assert not pair.notebook.trials
