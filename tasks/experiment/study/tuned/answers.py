"""What the tuned arms answer, from the study's tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.experiment.data.splits import Problem
from tasks.experiment.results.budgets import equivalent_budget
from tasks.experiment.results.class_pairs import ClassPairs, compare_over_classes
from tasks.experiment.results.comparisons import judge_together
from tasks.experiment.results.compute import AtSteps, Trajectory, errors_after
from tasks.experiment.results.decomposition import decompose, fixed_sequence
from tasks.experiment.results.statistics.differences import difference, mean_of
from tasks.experiment.results.tuned import (
    CROSS_VALIDATION,
    VALIDATION_IMAGES,
    ChosenRecipe,
    TrainedArm,
    Tried,
    Tuned,
    TunedBudgets,
    Worth,
    few_labels,
    notebook_gain,
)
from tasks.experiment.scores import Metric
from tasks.experiment.settings import Experiment
from tasks.experiment.study.answers import compare_budgets, compare_classes, errors_by, of_experiment, of_task
from tasks.experiment.study.arms import PAIR
from tasks.experiment.study.tuned.arms import CHAIN, S, T, tuned_arms

TUNED_PAIR = (S, T)
TUNED_CHAIN = {link.arm: link.adds for link in CHAIN}
NOTEBOOK_CHAIN = {link.by_notebook: link.adds for link in CHAIN}


@dataclass(frozen=True)
class TunedTables:
    """runs: one row per network; curves: one per network and checkpoint; tuning: one per recipe that was tried.

    source_steps: how many SGD steps task A took; None if they are not counted, as where A was not trained here.
    """

    runs: pd.DataFrame
    curves: pd.DataFrame
    tuning: pd.DataFrame
    recipes: list[ChosenRecipe]
    source_steps: int | None


def answer_tuned(tables: TunedTables, experiment: Experiment, B: Problem) -> Tuned:
    """All answers, by question, as plain data for JSON: of the runs on the experiment's kind of pixels."""
    runs = tables.runs[tables.runs.normalization == experiment.normalization]
    by_cross_validation, own = runs[runs.chosen_by == CROSS_VALIDATION], _usable(of_experiment(runs, experiment, B))
    with_few, with_many = own[own.chosen_by != VALIDATION_IMAGES], own[own.chosen_by == VALIDATION_IMAGES]
    metric = experiment.metric
    errors = errors_by(with_few, "arm", metric)
    tuned = [arm.name for arm in tuned_arms(experiment)]
    others = [arm for arm in tuned if arm in errors and arm not in TUNED_PAIR]
    answers = Tuned(
        arms=[_trained(with_few[with_few.arm == arm], metric) for arm in (*NOTEBOOK_CHAIN, *tuned) if arm in errors],
        notebook_gain=notebook_gain(errors, PAIR, TUNED_PAIR),
        against_scratch=judge_together([difference(errors, TUNED_PAIR[0], arm) for arm in others]),
        sequence=fixed_sequence(errors, TUNED_CHAIN),
        decomposition={"tuned": decompose(errors, TUNED_CHAIN), "notebook": decompose(errors, NOTEBOOK_CHAIN)},
        budgets=_budgets(of_task(by_cross_validation, B), experiment.target_images, metric),
        compute=_at_equal_steps(with_few, of_experiment(tables.curves, experiment, B), tables.source_steps, experiment),
        tried=_tried(of_experiment(tables.tuning, experiment, B), set(own.seed)), recipes=tables.recipes,
    )  # fmt: skip
    if len(with_many):
        answers["few_labels"] = few_labels(errors, errors_by(with_many, "arm", metric), TUNED_PAIR)
    pairs = by_cross_validation[by_cross_validation.arm.isin(TUNED_PAIR)].query("samples == @experiment.target_images")
    if pairs.classes.nunique() > 1:
        answers["classes"] = _over_classes(pairs, B.data.classes, metric)
    return answers


def _usable(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs without those on permuted labels, if a network of A's images with permuted labels diverged: of such a
    seed all of these runs did.
    """
    permuted = runs.body == "permuted A"
    return runs[~permuted] if runs[permuted].groupby("seed").diverged.all().any() else runs


def _trained(rows: pd.DataFrame, metric: Metric) -> TrainedArm:
    """One arm, from its rows, one per seed."""
    rates, epochs = rows.learning_rate, rows.epochs
    return TrainedArm(
        arm=rows.arm.iloc[0], chosen_by=rows.chosen_by.iloc[0], error=mean_of(1 - rows[metric].to_numpy(), "percent"),
        learning_rate=None if rates.isna().any() else (float(rates.min()), float(rates.max())),
        epochs=None if epochs.isna().any() else (int(epochs.min()), int(epochs.max())),
    )  # fmt: skip


def _budgets(runs: pd.DataFrame, at: int, metric: Metric) -> TunedBudgets:
    """Tuned transfer against tuned scratch by number of images; and what it is worth where it helps."""
    found = compare_budgets(runs, TUNED_PAIR, at, metric)
    scratch, transfer = (errors_by(runs[runs.arm == arm], "samples", metric) for arm in TUNED_PAIR)
    budgets = np.array(sorted(scratch))
    by_budget = np.stack([scratch[n] for n in budgets])
    worth = [
        Worth(samples=point["samples"], **equivalent_budget(budgets, by_budget, transfer[point["samples"]]))
        for point in found["curve"]
        if point["verdict"] == "helps"
    ]
    return TunedBudgets(worth=worth, **found)


def _at_equal_steps(
    runs: pd.DataFrame, curves: pd.DataFrame, source_steps: int | None, experiment: Experiment
) -> list[AtSteps]:
    """Transfer as it is and tuned against tuned scratch after as many steps, without and with those of A."""
    scratch = TUNED_PAIR[0]
    curves = curves[(curves.arm == scratch) & (curves.chosen_by == CROSS_VALIDATION) & (curves.steps > 0)]
    by_seed = curves.sort_values("steps").groupby("seed")
    trajectories: list[Trajectory] = [(rows.steps.to_numpy(), rows.error.to_numpy()) for _, rows in by_seed]
    found = []
    for source in (0,) if source_steps is None else (0, source_steps):
        for arm in (PAIR[1], TUNED_PAIR[1]):
            rows = runs[runs.arm == arm].sort_values("seed")
            steps = (rows.epochs * np.ceil(rows.samples / experiment.batch_size)).to_numpy().astype(int) + source
            after = errors_after(trajectories, steps)
            if after is not None:
                result = difference({scratch: after, arm: 1 - rows[experiment.metric].to_numpy()}, scratch, arm)
                found.append(AtSteps(steps=round(steps.mean()), source_counted=source > 0, **result))
    return judge_together(found)


def _tried(tuning: pd.DataFrame, reported: set[int]) -> list[Tried]:
    """What was tried, with all arms together for which it was the same."""
    found: list[Tried] = []
    for (chosen_by, arm), rows in tuning.groupby(["chosen_by", "arm"], sort=False):
        of = "learning rates" if rows.learning_rate.notna().all() else "penalties"
        values = rows.learning_rate if of == "learning rates" else rows.penalty
        one = Tried(
            arms=[], chosen_by=str(chosen_by), values=values.nunique(), of=of, lowest=float(values.min()),
            highest=float(values.max()), epochs=None if rows.epochs.isna().any() else int(rows.epochs.max()),
            seeds=rows.seed.nunique(), nested=set(rows.seed) <= reported,
        )  # fmt: skip
        same = next((other for other in found if other | {"arms": []} == one), None)
        if same is None:
            found.append(same := one)
        same["arms"].append(str(arm))
    return found


def _over_classes(runs: pd.DataFrame, names: tuple[str, ...], metric: Metric) -> ClassPairs:
    """Tuned transfer against tuned scratch over all pairs of classes, with the seeds that all of them have."""
    wide = (1 - runs.set_index(["classes", "seed", "arm"])[metric]).unstack("seed").dropna(axis=1)
    errors = {arm: wide.xs(arm, level="arm").to_numpy() for arm in TUNED_PAIR}
    return compare_over_classes(errors, compare_classes(runs, TUNED_PAIR, names, metric))
