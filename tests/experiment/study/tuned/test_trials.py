"""What tuning and training tuned arms gives: recipes, rows, curves, and networks to start from."""

import logging
from typing import Any

import numpy as np
import pytest

from tasks.experiment.data.splits import Examples, Problem, TrainingData, save_examples
from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.blueprints import Blueprint
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.train_network import train_network
from tasks.experiment.networks.tuning.grid import Recipe
from tasks.experiment.study.arms import full_plan
from tasks.experiment.study.trials import run_trials
from tasks.experiment.study.tuned.choice import choose_recipes
from tasks.experiment.study.tuned.starts import Workbench
from tasks.experiment.study.tuned.trials import describe_recipe, train_chosen
from tasks.experiment.study.tuned.tuning import tune_alone
from tasks.study import train_permuted
from tests.support.tuning import (
    EXPERIMENT,
    GRID,
    Made,
    Trained,
    Tuned,
    network_A,
    permuted_A,
    plan_for,
    trained,
    workbench,
)


@pytest.fixture(scope="module")
def first(tuned: Tuned) -> Trained:
    return trained(*tuned)


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


def test_each_network_has_one_row_and_its_curve_passes_through_it(first: Trained) -> None:
    runs, curves = first
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


def test_curves_meet_where_they_are_compared(first: Trained) -> None:
    """At the notebook's epochs, at every recipe's, and for S* also after as many more steps as A's training had."""
    runs, curves = first
    epochs = {arm: {row["epochs"] for row in curves if row["arm"] == arm} for arm in ("S*", "T*", "scratch")}
    landmarks = {r["epochs"] for r in runs[:7] if r["epochs"]} | {EXPERIMENT.target_epochs, EXPERIMENT.frozen_epochs}
    assert {arm: landmarks - of_arm for arm, of_arm in epochs.items() if not landmarks <= of_arm} == {}
    steps_A = max(epochs["S*"]) - max(landmarks)
    assert {steps_A + more for more in landmarks} <= epochs["S*"]
    assert steps_A % EXPERIMENT.source_epochs == 0
    assert max(epochs["T*"]) == GRID.checkpoints(24, 32)[-1]


def test_the_notebooks_curves_pass_through_what_its_recipe_gives(made: Made, first: Trained) -> None:
    A, B = made()
    plan = full_plan(EXPERIMENT, resample=True)
    pair = plan.model_copy(update={"trials": plan.trials[:2]})
    rows, _ = run_trials(B, pair, 0, {"A": network_A(A, 0)})
    for row in rows:
        (at_end,) = (c for c in first[1] if c["arm"] == row["arm"] and c["epochs"] == EXPERIMENT.target_epochs)
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
