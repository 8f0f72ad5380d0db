"""Tuned arms from made-up images to errors, where it is known how much A can help."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.experiment.data.splits import Examples, Problem, TrainingData
from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.blueprints import load_blueprint
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.train_network import train_network
from tasks.experiment.networks.tuning.grid import Grid, Recipe
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import full_plan
from tasks.experiment.study.trials import run_trials
from tasks.experiment.study.tuned.arms import full_tuned_plan
from tasks.experiment.study.tuned.choice import choose_recipes
from tasks.experiment.study.tuned.plan import TunedPlan
from tasks.experiment.study.tuned.starts import Workbench
from tasks.experiment.study.tuned.trials import describe_recipe, train_chosen
from tasks.experiment.study.tuned.tuning import tune_alone
from tests.support import signals

EXPERIMENT = Experiment(
    target_samples=24, hidden_layers=1, hidden_units=12, source_epochs=8, target_epochs=6, frozen_epochs=2,
    learning_rate=0.05,
)  # fmt: skip
GRID = Grid(rates=(0.1, 0.3), steps=60, folds=2, widenings=0)

COMPARED = {"S*", "T*", "STAT*", "RLAB*", "LP*", "LPFT*"}

Made = Callable[..., tuple[Problem, Problem]]
Trained = tuple[list[dict[str, Any]], list[dict[str, Any]]]
Tuned = tuple[Workbench, TunedPlan, list[dict[str, Any]]]  # the last: what was tried


@pytest.fixture(scope="module")
def made(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Task A and task B of a world."""

    def make(*, informative: bool = True) -> tuple[Problem, Problem]:
        path = tmp_path_factory.mktemp("data") / "made.npz"
        return signals.problems(signals.write_npz(path, informative=informative), EXPERIMENT.target_samples)

    return make


def plan_for(A: Problem, B: Problem) -> TunedPlan:
    plan = full_tuned_plan(EXPERIMENT, A, B, resample=True, quick=True)
    trials = tuple(trial for trial in plan.trials if trial.samples == EXPERIMENT.target_samples)
    return plan.model_copy(update={"grid": GRID, "trials": trials})


def network_A(A: Problem, seed: int, *, permuted: bool = False) -> Network:
    parts = A.parts()
    given = parts["training"]
    labels = np.random.default_rng(seed).permutation(given.labels) if permuted else given.labels
    data = TrainingData(A.data.images("train"), Examples(given.rows, labels), parts["validation"], 4)
    return train_network(load_blueprint(A.start), data, EXPERIMENT.source_training, seed, task="A")[0]


def workbench(A: Problem, B: Problem, seed: int) -> Workbench:
    return Workbench(B, plan_for(A, B).notebook, seed, network_A(A, seed), network_A(A, seed, permuted=True))


def tune(A: Problem, B: Problem, seed: int, arms: set[str] | None = None) -> Tuned:
    """By cross-validation only these arms; without any, all trials of the plan."""
    plan, bench = plan_for(A, B), workbench(A, B, seed)
    if arms:
        few = (t for t in plan.trials if t.arm.name in arms and t.chosen_by == "cross-validation")
        plan = plan.model_copy(update={"trials": tuple(few)})
    return bench, plan, tune_alone(bench, plan)


def trained(bench: Workbench, plan: TunedPlan, tried: list[dict[str, Any]]) -> Trained:
    """(runs, curves) of one seed, by its own recipes."""
    return train_chosen(bench, plan, choose_recipes(plan, tried))


@pytest.fixture(scope="module")
def tuned(made: Made) -> Tuned:
    return tune(*made(), seed=0)


@pytest.fixture(scope="module")
def helpful(made: Made, tuned: Tuned) -> list[Trained]:
    return [trained(*tuned), *(trained(*tune(*made(), seed, COMPARED)) for seed in (1, 2))]


def mean_errors(results: list[Trained]) -> dict[str, float]:
    rows = [row for runs, _ in results for row in runs if row["chosen_by"] == "cross-validation"]
    names = {row["arm"] for row in rows}
    return {name: statistics.mean(1 - row["accuracy"] for row in rows if row["arm"] == name) for name in names}


def test_where_a_body_carries_the_signal_it_helps_and_its_scale_or_inputs_do_not(helpful: list) -> None:
    errors = mean_errors(helpful)
    assert errors["T*"] < 0.85 * errors["S*"]
    assert errors["LP*"] < 0.6 * errors["S*"]
    assert errors["LPFT*"] < 0.6 * errors["S*"]
    assert errors["T*"] < 0.9 * min(errors["STAT*"], errors["RLAB*"])


def test_where_a_learned_nothing_it_makes_no_difference(made: Made) -> None:
    A, B = made(informative=False)
    errors = mean_errors([trained(*tune(A, B, seed, {"S*", "T*"})) for seed in range(2)])
    assert errors["T*"] == pytest.approx(errors["S*"], abs=0.07)
    assert errors["S*"] > 0.15


def test_a_network_that_diverges_at_its_recipes_rate_is_trained_at_a_lower_one(tuned: Tuned) -> None:
    bench, plan, tried = tuned
    (first, *_) = choose_recipes(plan, tried)
    too_high = first.model_copy(update={"recipe": first.recipe.model_copy(update={"learning_rate": 1e10})})
    (row,), _ = train_chosen(bench, plan, [too_high])
    assert not row["diverged"]
    assert 0.001 <= row["learning_rate"] < 1e10
    assert row["accuracy"] != 0.5


def test_each_network_has_one_row_and_its_curve_passes_through_it(helpful: list) -> None:
    runs, curves = helpful[0]
    names = ["S*", "T*", "SELF*", "STAT*", "RLAB*", "LP*", "LPFT*"]
    assert [(r["arm"], r["chosen_by"]) for r in runs] == [
        *((name, "cross-validation") for name in names), ("S*", "validation images"), ("T*", "validation images"),
    ]  # fmt: skip
    for run in runs[:7]:
        of_run = {row["epochs"]: row for row in curves if row["arm"] == run["arm"]}
        if run["arm"] == "LP*":
            assert not of_run
            assert run["epochs"] is run["learning_rate"] is None
        else:
            assert of_run[run["epochs"]]["error"] == pytest.approx(1 - run["accuracy"], abs=1e-9)
            assert of_run[run["epochs"]]["loss"] == pytest.approx(run["loss"], rel=1e-3)
    assert {row["steps"] / row["epochs"] for row in curves} == {1}  # 24 images, a batch of 32


def test_curves_meet_where_they_are_compared(helpful: list) -> None:
    """At the notebook's epochs, at every recipe's, and for S* also after as many more steps as A's training had."""
    runs, curves = helpful[0]
    epochs = {arm: {row["epochs"] for row in curves if row["arm"] == arm} for arm in ("S*", "T*", "scratch")}
    landmarks = {r["epochs"] for r in runs[:7] if r["epochs"]} | {EXPERIMENT.target_epochs, EXPERIMENT.frozen_epochs}
    assert {arm: landmarks - of_arm for arm, of_arm in epochs.items() if not landmarks <= of_arm} == {}
    steps_A = max(epochs["S*"]) - max(landmarks)
    assert {steps_A + more for more in landmarks} <= epochs["S*"]
    assert steps_A % EXPERIMENT.source_epochs == 0
    assert max(epochs["T*"]) == GRID.checkpoints(24, 32)[-1]


def test_the_notebooks_curves_pass_through_what_its_recipe_gives(made: Made, helpful: list) -> None:
    A, B = made()
    plan = full_plan(EXPERIMENT, resample=True)
    pair = plan.model_copy(update={"trials": plan.trials[:2]})
    rows, _ = run_trials(B, pair, 0, {"A": network_A(A, 0)})
    for row in rows:
        (at_end,) = (c for c in helpful[0][1] if c["arm"] == row["arm"] and c["epochs"] == EXPERIMENT.target_epochs)
        assert at_end["error"] == pytest.approx(1 - row["accuracy"], abs=1e-9)
        assert at_end["chosen_by"] == "notebook"


def test_starts(made: Made) -> None:
    A, B = made()
    plan, bench = plan_for(A, B), workbench(A, B, 0)
    examples = bench.labelled(24).examples
    arms = {trial.arm.name: trial.arm for trial in plan.trials}
    recipe = Recipe(learning_rate=0.1, epochs=5)
    starts = {name: bench.start(arm, recipe)(examples) for name, arm in arms.items()}
    heads = {name: model.layers[-1].get_weights()[0] for name, model in starts.items()}
    (bodies,) = ({n: hidden_layers(m)[0].get_weights()[0] for n, m in starts.items()},)
    assert {name for name in heads if not np.array_equal(heads[name], heads["S*"])} == {"LP*", "LPFT*"}
    of_A = hidden_layers(bench.bodies["A"])[0].get_weights()
    with_A = {name for name in bodies if np.array_equal(bodies[name], of_A[0])}
    assert with_A == {"T*", "LP*", "LPFT*"}
    like = hidden_layers(starts["STAT*"])[0].get_weights()
    for mine, theirs in zip(like, of_A, strict=True):
        assert mine.mean() == pytest.approx(theirs.mean(), abs=4 * theirs.std() / np.sqrt(theirs.size) + 1e-6)
    assert like[0].std() == pytest.approx(of_A[0].std(), rel=0.15)
    assert np.corrcoef(like[0].ravel(), of_A[0].ravel())[0, 1] == pytest.approx(0, abs=0.2)


def test_what_was_chosen_is_told_of_each_trial(tuned: Tuned) -> None:
    bench, plan, rows = tuned
    assert {row["samples"] for row in rows} == {24}
    told = {(r["arm"], r["chosen_by"]): r for r in (describe_recipe(bench, c) for c in choose_recipes(plan, rows))}
    assert len(told) == len(plan.trials)
    assert told["LP*", "cross-validation"]["learning_rate"] is None
    assert told["LP*", "cross-validation"]["penalty"] in plan.penalties.rates
    assert told["S*", "cross-validation"]["learning_rate"] in GRID.rates
