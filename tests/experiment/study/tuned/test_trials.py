"""Tuned arms from made-up images to errors, where it is known how much A can help."""

import logging
import statistics
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prefect.logging import disable_run_logger

from tasks.experiment.data.splits import Examples, Problem, TrainingData, save_examples
from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.blueprints import Blueprint, load_blueprint
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.networks.recipe import Network, Training
from tasks.experiment.networks.train_network import train_network
from tasks.experiment.networks.tuning.grid import Grid, Recipe
from tasks.experiment.results.decomposition import decompose, fixed_sequence
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import full_plan
from tasks.experiment.study.trials import run_trials
from tasks.experiment.study.tuned.answers import TUNED_CHAIN
from tasks.experiment.study.tuned.arms import full_tuned_plan
from tasks.experiment.study.tuned.choice import choose_recipes
from tasks.experiment.study.tuned.plan import TunedPlan
from tasks.experiment.study.tuned.starts import Workbench
from tasks.experiment.study.tuned.trials import describe_recipe, train_chosen
from tasks.experiment.study.tuned.tuning import tune_alone
from tasks.study import train_permuted
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

    def make(*, informative: bool = True, samples: int = EXPERIMENT.target_samples) -> tuple[Problem, Problem]:
        path = tmp_path_factory.mktemp("data") / "made.npz"
        return signals.problems(signals.write_npz(path, informative=informative), samples)

    return make


def plan_for(A: Problem, B: Problem, experiment: Experiment = EXPERIMENT) -> TunedPlan:
    plan = full_tuned_plan(experiment, A, B, resample=True, quick=True)
    trials = tuple(trial for trial in plan.trials if trial.samples == experiment.target_samples)
    return plan.model_copy(update={"grid": GRID, "trials": trials})


def only(plan: TunedPlan, arms: Collection[str], *, curve: bool = True) -> TunedPlan:
    """These arms, chosen by cross-validation. curve: whether any network is followed along its trajectory."""
    few = [t for t in plan.trials if t.arm.name in arms and t.chosen_by == "cross-validation"]
    if curve:
        return plan.model_copy(update={"trials": tuple(few)})
    unfollowed = tuple(trial.model_copy(update={"curve": False}) for trial in few)
    return plan.model_copy(update={"trials": unfollowed, "followed": ()})


def network_A(A: Problem, seed: int) -> Network:
    parts = A.parts()
    data = TrainingData(A.data.images("train"), parts["training"], parts["validation"], 4)
    return train_network(load_blueprint(A.start), data, EXPERIMENT.source_training, seed, task="A")[0]


def permuted_A(A: Problem, seed: int) -> Network:
    with disable_run_logger():  # there is no run
        stored = train_permuted.train_A_permuted.fn(A, EXPERIMENT.source_training, seed)
    return load_network(stored.folder() / "model.keras")


def workbench(A: Problem, B: Problem, seed: int) -> Workbench:
    return Workbench(B, plan_for(A, B).notebook, seed, network_A(A, seed), permuted_A(A, seed))


def tune(A: Problem, B: Problem, seed: int, arms: set[str] | None = None) -> Tuned:
    """By cross-validation only these arms; without any, all trials of the plan."""
    plan, bench = plan_for(A, B), workbench(A, B, seed)
    plan = only(plan, arms) if arms else plan
    return bench, plan, tune_alone(bench, plan)


def trained(bench: Workbench, plan: TunedPlan, tried: list[dict[str, Any]]) -> Trained:
    """(runs, curves) of one seed, by its own recipes."""
    return train_chosen(bench, plan, choose_recipes(plan, tried))


@pytest.fixture(scope="module")
def tuned(made: Made) -> Tuned:
    return tune(*made(), seed=0)


@pytest.fixture(scope="module")
def helpful(made: Made, tuned: Tuned) -> list[Trained]:
    """Three seeds, by the recipes of the first one."""
    A, B = made()
    _, plan, tried = tuned
    few = only(plan, COMPARED, curve=False)
    recipes = choose_recipes(few, tried)
    return [trained(*tuned), *(train_chosen(workbench(A, B, seed), few, recipes) for seed in (1, 2))]


def errors_by_arm(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {row["arm"]: 1 - row["accuracy"] for row in runs if row["chosen_by"] == "cross-validation"}


def mean_errors(results: list[Trained]) -> dict[str, float]:
    """Of the arms that all seeds have."""
    errors = [errors_by_arm(runs) for runs, _ in results]
    return {arm: statistics.mean(each[arm] for each in errors) for arm in errors[-1]}


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


@dataclass(frozen=True)
class Shrunk:
    """Networks as the blueprint's, but their hidden layers are a thirtieth as large: deep ones then learn nothing."""

    blueprint: Blueprint

    def build(self, training: Training, classes: int, seed: int) -> Network:
        model = self.blueprint.build(training, classes, seed)
        for layer in hidden_layers(model):
            layer.set_weights([weights / 30 for weights in layer.get_weights()])
        return model


def test_where_only_the_scale_of_a_body_matters_the_gain_is_attributed_to_scale(made: Made) -> None:
    """Scratch is too small to learn; both bodies are random, but of the usual scale. Eight seeds, as --quick has."""
    deep = EXPERIMENT.vary(hidden_layers=3, hidden_units=32, target_samples=60)
    A, B = made(samples=60)
    plan, usual = only(plan_for(A, B, deep), TUNED_CHAIN, curve=False), load_blueprint(B.start)

    def seeded(seed: int) -> Workbench:
        bodies = (usual.build(deep.scratch_training, 2, seed + other) for other in (100, 200))
        bench = Workbench(B, plan.notebook, seed, *bodies)
        bench.blueprint = Shrunk(usual)
        return bench

    recipes = choose_recipes(plan, tune_alone(seeded(99), plan))
    by_seed = [errors_by_arm(train_chosen(seeded(seed), plan, recipes)[0]) for seed in range(8)]
    errors = {arm: np.array([each[arm] for each in by_seed]) for arm in TUNED_CHAIN}
    parts = decompose(errors, TUNED_CHAIN)["parts"]
    assert [part["verdict"] for part in parts] == ["helps", "can't tell", "can't tell"], errors
    assert parts[0]["points"]["estimate"] > 25
    assert parts[0]["share"]["estimate"] == pytest.approx(100, abs=15)
    assert [step["verdict"] for step in fixed_sequence(errors, TUNED_CHAIN)] == ["helps", "can't tell", "can't tell"]


def test_no_recipe_is_chosen_by_an_image_that_validates_or_tests(tuned: Tuned) -> None:
    """If their labels are swapped, cross-validation finds what it found; a choice on validation images the reverse."""
    bench, plan, tried = tuned
    parts = bench.problem.parts()
    swapped = {part: Examples(parts[part].rows, 1 - parts[part].labels) for part in ("validation", "test")}
    B = bench.problem.model_copy(update={"examples": save_examples("split_B", parts | swapped)})
    again = tune_alone(Workbench(B, plan.notebook, bench.seed, bench.bodies["A"], bench.bodies["permuted A"]), plan)
    before, after = ([row for row in rows if row["chosen_by"] == "cross-validation"] for rows in (tried, again))
    assert {row["arm"] for row in before} == {trial.arm.name for trial in plan.trials}
    assert after == before
    before, after = ([row for row in rows if row["chosen_by"] == "validation images"] for rows in (tried, again))
    assert [row["error"] for row in after] == pytest.approx([1 - row["error"] for row in before])


def accuracy(model: Network, A: Problem) -> float:
    test = A.parts()["test"]
    return float(np.mean(predict(model, A.data.images("test")[test.rows]).argmax(-1) == test.labels))


def test_permuted_labels_are_as_many_of_each_class_and_teach_none_of_them(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    A, _ = made()
    seen: list[TrainingData] = []

    def noted(blueprint: Blueprint, data: TrainingData, *given: Any, **how: Any) -> Any:
        seen.append(data)
        return train_network(blueprint, data, *given, **how)

    monkeypatch.setattr(train_permuted, "train_network", noted)
    permuted, true = permuted_A(A, 0), A.parts()["training"]
    (given,) = (data.training for data in seen)
    assert np.array_equal(given.rows, true.rows)
    assert np.bincount(given.labels).tolist() == np.bincount(true.labels).tolist()
    assert np.mean(given.labels == true.labels) == pytest.approx(0.25, abs=0.05)
    assert accuracy(network_A(A, 0), A) > 0.85
    assert accuracy(permuted, A) == pytest.approx(0.25, abs=0.15)


def test_if_training_on_permuted_labels_diverges_so_does_what_starts_from_it_and_the_log_says_so(
    made: Made, tuned: Tuned, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    A, B = made()
    monkeypatch.setattr(train_permuted, "get_run_logger", logging.getLogger)
    wild = EXPERIMENT.source_training.model_copy(update={"learning_rate": 1e30})
    lost = load_network(train_permuted.train_A_permuted.fn(A, wild, 0).folder() / "model.keras")
    assert "train_A_permuted seed 0" in caplog.text
    assert "The study answers without this control" in caplog.text
    _, plan, tried = tuned
    (chosen,) = (each for each in choose_recipes(plan, tried) if each.trial.arm.name == "RLAB*")
    (row,), _ = train_chosen(Workbench(B, plan.notebook, 0, lost, lost), plan, [chosen])
    assert row["diverged"]


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
