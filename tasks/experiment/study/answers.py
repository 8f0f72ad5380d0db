"""The study's questions, answered from its table of runs (one row per network). All answers are plain data for JSON."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tasks.experiment.data.splits import Problem
from tasks.experiment.results.budgets import equivalent_samples, mean_with_band
from tasks.experiment.results.statistics import (
    Errors,
    error_reduction,
    error_reduction_interval,
    error_reduction_t_interval,
    holm,
    t_test_p,
    verdict,
    wilcoxon_p,
    wins,
)
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import PAIR, SCRATCH, TRANSFER, arms

Answer = dict[str, Any]
# What tells two runs apart; the rest of a row is what came out.
KEYS = ["normalization", "classes", "samples", "arm", "body", "layers", "frozen_epochs", "seed"]
RESULTS = ["accuracy", "loss", "diverged"]
OF_TWO = ["negative", "positive"]  # the same as "classes" where there are two


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a run, sorted by what it is: KEYS (classes as numbers: "0 2"), OF_TWO, then RESULTS.

    The loss is missing where training diverged.
    """
    of_two = OF_TWO if "negative" in rows[0] else []
    table = pd.DataFrame(rows, columns=KEYS + of_two + RESULTS).astype(
        {"accuracy": float, "loss": float, "diverged": bool}
    )
    return table.drop_duplicates(KEYS).sort_values(KEYS, ignore_index=True)


def of_experiment(table: pd.DataFrame, experiment: Experiment, B: Problem) -> pd.DataFrame:
    """The runs on the experiment's target classes with its number of images, on either kind of pixels."""
    return _of_classes(table, B).query("samples == @experiment.target_images")


def _of_classes(table: pd.DataFrame, B: Problem) -> pd.DataFrame:
    return table[table.classes == " ".join(map(str, B.classes))]


def answer_questions(table: pd.DataFrame, experiment: Experiment, B: Problem) -> dict[str, Any]:
    """All answers, by question; "classes" only if other pairs of classes were run."""
    same_pixels = table[table.normalization == experiment.normalization]
    errors = _errors(of_experiment(same_pixels, experiment, B), "arm")
    answers: dict[str, Any] = {
        "help": _judge([_contrast(errors[SCRATCH], errors[TRANSFER])])[0],
        "arms": _compare_arms({arm.name: errors[arm.name] for arm in arms(experiment) if arm.name in errors}),
        "labels": _worth_in_labels(_of_classes(same_pixels, B), experiment.target_images),
    }
    if table.normalization.nunique() > 1:
        answers["pixels"] = _compare_pixels(of_experiment(table, experiment, B))
    pairs = same_pixels[(same_pixels.samples == experiment.target_images) & same_pixels.arm.isin(PAIR)]
    if pairs.classes.nunique() > 1:
        answers["classes"] = _compare_classes(pairs, B.data.classes)
    return answers


def replicates(table: pd.DataFrame, experiment: Experiment, B: Problem) -> list[Answer]:
    """The pairs of the first question, as in metrics.json: a seed's scratch and transfer."""
    rows = of_experiment(table[table.normalization == experiment.normalization], experiment, B)
    by_arm = {arm: rows[rows.arm == arm].set_index("seed") for arm in PAIR}
    errors = _errors(rows, "arm")
    pairs = []
    for i, seed in enumerate(by_arm[SCRATCH].index):
        scores = {
            arm: {"accuracy": runs.accuracy[seed], "loss": None if runs.diverged[seed] else runs.loss[seed]}
            for arm, runs in by_arm.items()
        }
        reduction = error_reduction(errors[SCRATCH][i : i + 1], errors[TRANSFER][i : i + 1])
        pairs.append({"seed": int(seed), **scores, "error_reduction": reduction})
    return pairs


def _errors(rows: pd.DataFrame, column: str) -> dict[Any, Errors]:
    """Errors of each value of `column`, shape (seeds,), in the order of seeds."""
    wide = (1 - rows.set_index(["seed", column]).accuracy).unstack(column).sort_index()
    return {name: wide[name].to_numpy() for name in wide}


def _contrast(
    baseline: Errors,
    other: Errors,
    interval: Callable[[Errors, Errors], Answer] = error_reduction_interval,
    test: Callable[[Errors, Errors], float] = wilcoxon_p,
) -> Answer:
    """What a paired comparison tells: `other` in the place of transfer, `baseline` in that of scratch."""
    return {
        "baseline_accuracy": float(1 - baseline.mean()),
        "accuracy": float(1 - other.mean()),
        "error_reduction": interval(baseline, other),
        "pairs": wins(baseline, other),
        "p": test(baseline, other),
    }


def _judge(family: list[Answer]) -> list[Answer]:
    """Each comparison of a family with its p adjusted by Holm for all of them, and its verdict."""
    adjusted = holm([comparison["p"] for comparison in family])
    return [
        comparison | {"p_holm": p, "verdict": verdict(comparison["error_reduction"], p)}
        for comparison, p in zip(family, adjusted, strict=True)
    ]


def _compare_arms(errors: dict[str, Errors]) -> Answer:
    """Each arm against scratch; and transfer against each of the other arms: what of it is due to A?"""
    others = [arm for arm in errors if arm != SCRATCH]
    controls = [arm for arm in others if arm != TRANSFER]
    return {
        "against_scratch": _judge([{"arm": arm} | _contrast(errors[SCRATCH], errors[arm]) for arm in others]),
        "transfer_against": _judge([{"arm": arm} | _contrast(errors[arm], errors[TRANSFER]) for arm in controls]),
    }


def _compare_pixels(rows: pd.DataFrame) -> list[Answer]:
    """Transfer against scratch on either kind of pixels, and standardized against raw pixels for either arm."""
    raw, standardized = (_errors(rows[rows.normalization == kind], "arm") for kind in ("none", "standardize"))
    comparisons = {
        "transfer against scratch, standardized pixels": (standardized[SCRATCH], standardized[TRANSFER]),
        "transfer against scratch, raw pixels": (raw[SCRATCH], raw[TRANSFER]),
        "standardized against raw pixels, scratch": (raw[SCRATCH], standardized[SCRATCH]),
        "standardized against raw pixels, transfer": (raw[TRANSFER], standardized[TRANSFER]),
    }
    return _judge([{"comparison": name} | _contrast(*errors) for name, errors in comparisons.items()])


def _worth_in_labels(rows: pd.DataFrame, at: int) -> Answer:
    """Scratch and transfer by number of images, each number's comparison, and what transfer at `at` images is worth."""
    scratch, transfer = (_errors(rows[rows.arm == arm], "samples") for arm in PAIR)
    budgets = np.array(sorted(scratch))
    curve = _judge([{"samples": int(n)} | _contrast(scratch[n], transfer[n]) for n in budgets])
    for point in curve:
        n = point["samples"]
        point |= {SCRATCH: mean_with_band(scratch[n]), TRANSFER: mean_with_band(transfer[n])}
    by_budget = np.stack([scratch[n] for n in budgets])
    return {"at": at, "curve": curve, "equivalent": equivalent_samples(budgets, by_budget, transfer[at])}


def _compare_classes(rows: pd.DataFrame, classes: tuple[str, ...]) -> list[Answer]:
    """Transfer against scratch for each pair of target classes, with the seeds that all pairs have.

    These are few, so it is done by t-test and its interval.
    """
    pairs = rows[["negative", "positive"]].drop_duplicates()
    seeds_of_all = rows.groupby("seed").size() == 2 * len(pairs)
    rows = rows[rows.seed.map(seeds_of_all)]
    family = []
    for negative, positive in pairs.itertuples(index=False):
        errors = _errors(rows[(rows.negative == negative) & (rows.positive == positive)], "arm")
        names = {"negative": classes[negative], "positive": classes[positive]}
        contrast = _contrast(errors[SCRATCH], errors[TRANSFER], error_reduction_t_interval, t_test_p)
        family.append(names | contrast)
    return _judge(family)
