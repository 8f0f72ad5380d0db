"""Tuned arms from made-up images to errors, where it is known how much A can help."""

import statistics
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tasks.experiment.networks.architectures import hidden_layers
from tasks.experiment.networks.blueprints import Blueprint, load_blueprint
from tasks.experiment.networks.recipe import Network, Training
from tasks.experiment.results.decomposition import decompose, fixed_sequence
from tasks.experiment.study.tuned.answers import TUNED_CHAIN
from tasks.experiment.study.tuned.choice import choose_recipes
from tasks.experiment.study.tuned.starts import Workbench
from tasks.experiment.study.tuned.trials import train_chosen
from tasks.experiment.study.tuned.tuning import tune_alone
from tests.support.tuning import EXPERIMENT, Made, Trained, Tuned, only, plan_for, trained, tune, workbench

COMPARED = {"S*", "T*", "STAT*", "RLAB*", "LP*", "LPFT*"}


def errors_by_arm(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {row["arm"]: 1 - row["accuracy"] for row in runs if row["chosen_by"] == "cross-validation"}


def mean_errors(results: list[Trained]) -> dict[str, float]:
    """Of the arms that all seeds have."""
    errors = [errors_by_arm(runs) for runs, _ in results]
    return {arm: statistics.mean(each[arm] for each in errors) for arm in errors[-1]}


def test_where_a_body_carries_the_signal_it_helps_and_its_scale_or_inputs_do_not(made: Made, tuned: Tuned) -> None:
    """Three seeds, by the recipes of the first one."""
    A, B = made()
    _, plan, tried = tuned
    few = only(plan, COMPARED, curve=False)
    recipes = choose_recipes(few, tried)
    errors = mean_errors([trained(*tuned), *(train_chosen(workbench(A, B, seed), few, recipes) for seed in (1, 2))])
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
