"""What of one seed's arms is tried, to choose their recipes: the points of a grid."""

import math
from collections.abc import Sequence

from tasks.experiment.networks.recipe import OnStep, unreported
from tasks.experiment.networks.tuning.cross_validation import cross_validate, fold_numbers, validate_grid
from tasks.experiment.study.trials import describe_task
from tasks.experiment.study.tuned.choice import Row, attempts
from tasks.experiment.study.tuned.plan import Attempt, TunedPlan
from tasks.experiment.study.tuned.probe import cross_validate_probe
from tasks.experiment.study.tuned.starts import Workbench


def try_out(bench: Workbench, some: Sequence[Attempt], on_step: OnStep = unreported) -> list[Row]:
    """One row per point of the grid that is tried, for each attempt."""
    rows = []
    for number, attempt in enumerate(some, start=1):
        trial, grid, labelled = attempt.trial, attempt.grid, bench.labelled(attempt.trial.samples)
        start = bench.start(trial.arm, attempt.needed)
        if not trial.arm.tuned:
            inputs, labels = bench.head_inputs(start(labelled.examples), labelled.examples), labelled.examples.labels
            folds = fold_numbers(labels, grid.folds, bench.seed)
            tried = cross_validate_probe(inputs, labels, bench.classes, folds, grid)
        elif trial.chosen_by == "validation images":
            tried = validate_grid(start, labelled, bench.validation, grid, bench.batch_size, bench.seed)
        else:
            tried = cross_validate(start, labelled, grid, bench.batch_size, bench.seed)
        of_trial = {
            "classes": describe_task(bench.problem)["classes"], "samples": len(labelled), "budget": trial.samples,
            "arm": trial.arm.name, "chosen_by": trial.chosen_by, "seed": bench.seed,
        }  # fmt: skip
        rows += [of_trial | each | {"penalty": None, "loss": _finite(each["loss"])} for each in tried]
        if not trial.arm.tuned:
            rows[-len(tried) :] = [
                row | {"learning_rate": None, "epochs": None, "penalty": row["learning_rate"]}
                for row in rows[-len(tried) :]
            ]
        on_step(number, len(some))
    return rows


def tune_alone(bench: Workbench, plan: TunedPlan) -> list[Row]:
    """All that is tried to choose this one seed's own recipes."""
    rows: list[Row] = []
    while some := attempts(plan, rows):
        rows += try_out(bench, some)
    return rows


def _finite(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None
