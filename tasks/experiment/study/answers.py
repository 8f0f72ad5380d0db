"""The study's questions, answered from its table of runs (one row per network). All answers are plain data for JSON."""

from typing import Any, cast

import numpy as np
import pandas as pd

from tasks.experiment.data.splits import Problem
from tasks.experiment.results.budgets import equivalent_budget, mean_with_band
from tasks.experiment.results.comparisons import (
    ArmComparison,
    ArmComparisons,
    BudgetComparison,
    BudgetComparisons,
    ClassComparison,
    PixelComparison,
    compare,
    judge_together,
)
from tasks.experiment.results.pairs import Replicate, replicate
from tasks.experiment.results.statistics.basics import Errors
from tasks.experiment.results.statistics.intervals import share_interval
from tasks.experiment.results.study import Study
from tasks.experiment.scores import METRICS, Metric, Scores
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import PAIR, SCRATCH, SELF_TRANSFER, TRANSFER, arms
from tasks.experiment.study.plan import NOTEBOOK
from tasks.experiment.study.tuned.arms import S, T

# What tells two runs apart; the rest of a row is what came out.
KEYS = ["normalization", "classes", "samples", "arm", "body", "layers", "frozen_epochs", "chosen_by", "seed"]
RECIPE = ["learning_rate", "epochs"]
RESULTS = [*METRICS, "diverged"]
OF_TWO = ["negative", "positive"]  # the same as "classes" where there are two


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a run, sorted by what it is: KEYS (classes as numbers: "0 2"), OF_TWO, RECIPE, then RESULTS.

    The loss is missing where training diverged; learning rate and epochs are where nothing was trained by SGD.
    """
    of_two = OF_TWO if "negative" in rows[0] else []
    types = dict.fromkeys(METRICS, float) | dict.fromkeys(RECIPE, float) | {"diverged": bool}
    table = pd.DataFrame(rows, columns=KEYS + of_two + RECIPE + RESULTS).astype(types)
    return table.drop_duplicates(KEYS).sort_values(KEYS, ignore_index=True)


def by_notebook(table: pd.DataFrame) -> pd.DataFrame:
    """The runs by the notebook's recipe, without those arms that belong to the tuned ones."""
    return table[(table.chosen_by == NOTEBOOK) & ~table.body.isin(["like A", "permuted A"])]


def of_experiment(table: pd.DataFrame, experiment: Experiment, B: Problem) -> pd.DataFrame:
    """The runs on the experiment's target classes with its number of images, on either kind of pixels."""
    return of_task(table, B).query("samples == @experiment.target_images")


def behind_the_answer(table: pd.DataFrame, experiment: Experiment, B: Problem) -> pd.DataFrame:
    """The runs of scratch and transfer, by either recipe, that the study's answer compares."""
    own = of_experiment(table[table.normalization == experiment.normalization], experiment, B)
    return own[own.arm.isin((*PAIR, S, T))]


def of_task(table: pd.DataFrame, B: Problem) -> pd.DataFrame:
    """The rows of the experiment's target classes."""
    return table[table.classes == " ".join(map(str, B.classes))]


def answer_questions(table: pd.DataFrame, experiment: Experiment, B: Problem) -> Study:
    """All answers, by question; "classes" only if other pairs of classes were run."""
    same_pixels = table[table.normalization == experiment.normalization]
    metric = experiment.metric
    errors = errors_by(of_experiment(same_pixels, experiment, B), "arm", metric)
    answers = Study(
        help=compare(errors[SCRATCH], errors[TRANSFER]),
        arms=_compare_arms({arm.name: errors[arm.name] for arm in arms(experiment) if arm.name in errors}),
        labels=compare_budgets(of_task(same_pixels, B), PAIR, experiment.target_images, metric),
    )
    if table.normalization.nunique() > 1:
        answers["pixels"] = _compare_pixels(of_experiment(table, experiment, B), metric)
    pairs = same_pixels[(same_pixels.samples == experiment.target_images) & same_pixels.arm.isin(PAIR)]
    if pairs.classes.nunique() > 1:
        answers["classes"] = compare_classes(pairs, PAIR, B.data.classes, metric)
    return answers


def replicates(table: pd.DataFrame, experiment: Experiment, B: Problem) -> list[Replicate]:
    """The pairs of the first question, as in metrics.json: a seed's scratch and transfer."""
    rows = of_experiment(table[table.normalization == experiment.normalization], experiment, B)
    scratch, transfer = (rows[rows.arm == arm].set_index("seed")[list(METRICS)] for arm in PAIR)
    return [
        replicate(int(seed), _scores(scratch.loc[seed]), _scores(transfer.loc[seed]), experiment.metric)
        for seed in scratch.index
    ]


def _scores(run: "pd.Series[float]") -> Scores:
    return cast(Scores, {name: None if np.isnan(value) else float(value) for name, value in run.items()})


def errors_by(rows: pd.DataFrame, column: str, metric: Metric) -> dict[Any, Errors]:
    """Errors of each value of `column`, shape (seeds,), in the order of seeds."""
    wide = (1 - rows.set_index(["seed", column])[metric]).unstack(column).sort_index()
    return {name: wide[name].to_numpy() for name in wide}


def _compare_arms(errors: dict[str, Errors]) -> ArmComparisons:
    """Each arm against scratch; and transfer against each of the other arms: what of it is due to A?"""
    others = [arm for arm in errors if arm != SCRATCH]
    controls = [arm for arm in others if arm != TRANSFER]
    against_scratch = [ArmComparison(arm=arm, **compare(errors[SCRATCH], errors[arm])) for arm in others]
    transfer_against = [ArmComparison(arm=arm, **compare(errors[arm], errors[TRANSFER])) for arm in controls]
    own = errors.get(SELF_TRANSFER)
    return ArmComparisons(
        against_scratch=judge_together(against_scratch), transfer_against=judge_together(transfer_against),
        self_share=None if own is None else share_interval(errors[SCRATCH], own, errors[TRANSFER]),
    )  # fmt: skip


def _compare_pixels(rows: pd.DataFrame, metric: Metric) -> list[PixelComparison]:
    """Transfer against scratch on either kind of pixels, and standardized against raw pixels for either arm."""
    raw, standardized = (errors_by(rows[rows.normalization == kind], "arm", metric) for kind in ("none", "standardize"))
    comparisons = {
        "transfer against scratch, standardized pixels": (standardized[SCRATCH], standardized[TRANSFER]),
        "transfer against scratch, raw pixels": (raw[SCRATCH], raw[TRANSFER]),
        "standardized against raw pixels, scratch": (raw[SCRATCH], standardized[SCRATCH]),
        "standardized against raw pixels, transfer": (raw[TRANSFER], standardized[TRANSFER]),
    }
    return judge_together([PixelComparison(comparison=name, **compare(*e)) for name, e in comparisons.items()])


def compare_budgets(rows: pd.DataFrame, arms: tuple[str, str], at: int, metric: Metric) -> BudgetComparisons:
    """Two arms by number of images, each number's comparison, and what the second one at `at` images is worth."""
    scratch, transfer = (errors_by(rows[rows.arm == arm], "samples", metric) for arm in arms)
    budgets = np.array(sorted(scratch))
    curve = [
        BudgetComparison(
            samples=int(n), **compare(scratch[n], transfer[n]),
            scratch=mean_with_band(scratch[n]), transfer=mean_with_band(transfer[n]),
        )
        for n in budgets
    ]  # fmt: skip
    by_budget = np.stack([scratch[n] for n in budgets])
    equivalent = equivalent_budget(budgets, by_budget, transfer[at])
    return BudgetComparisons(at=at, curve=judge_together(curve), equivalent=equivalent)


def compare_classes(
    rows: pd.DataFrame, arms: tuple[str, str], names: tuple[str, ...], metric: Metric
) -> list[ClassComparison]:
    """The second arm against the first for each pair of target classes, with the seeds that all pairs have."""
    pairs = rows[["negative", "positive"]].drop_duplicates()
    seeds_of_all = rows.groupby("seed").size() == 2 * len(pairs)
    rows = rows[rows.seed.map(seeds_of_all)]
    family = []
    for negative, positive in pairs.itertuples(index=False):
        errors = errors_by(rows[(rows.negative == negative) & (rows.positive == positive)], "arm", metric)
        comparison = compare(*(errors[arm] for arm in arms))
        family.append(ClassComparison(negative=names[negative], positive=names[positive], **comparison))
    return judge_together(family)
