"""Both tasks of a world of `signals`, tuned small: what tests of tuned arms train."""

from collections.abc import Callable, Collection
from typing import Any

from prefect.logging import disable_run_logger

from tasks.experiment.data.splits import Problem, TrainingData
from tasks.experiment.networks.blueprints import load_blueprint
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.train_network import train_network
from tasks.experiment.networks.tuning.grid import Grid
from tasks.experiment.settings import Experiment
from tasks.experiment.study.tuned.arms import full_tuned_plan
from tasks.experiment.study.tuned.choice import choose_recipes
from tasks.experiment.study.tuned.plan import TunedPlan
from tasks.experiment.study.tuned.starts import Workbench
from tasks.experiment.study.tuned.trials import train_chosen
from tasks.experiment.study.tuned.tuning import tune_alone
from tasks.study import train_permuted

EXPERIMENT = Experiment(
    target_samples=24, hidden_layers=1, hidden_units=12, source_epochs=8, target_epochs=6, frozen_epochs=2,
    learning_rate=0.05,
)  # fmt: skip
GRID = Grid(rates=(0.1, 0.3), steps=60, folds=2, widenings=0)

Made = Callable[..., tuple[Problem, Problem]]
Trained = tuple[list[dict[str, Any]], list[dict[str, Any]]]
Tuned = tuple[Workbench, TunedPlan, list[dict[str, Any]]]  # the last: what was tried


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
