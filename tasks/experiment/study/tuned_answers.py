"""What the tuned arms answer, from the study's tables."""

from dataclasses import dataclass

import pandas as pd

from tasks.experiment.data.splits import Problem
from tasks.experiment.results.tuned import ChosenRecipe, Tuned
from tasks.experiment.settings import Experiment


@dataclass(frozen=True)
class TunedTables:
    """runs: one row per network; curves: one per network and checkpoint; tuning: one per recipe that was tried.

    source_steps: how many SGD steps task A took; None if A was not trained here.
    """

    runs: pd.DataFrame
    curves: pd.DataFrame
    tuning: pd.DataFrame
    recipes: list[ChosenRecipe]
    source_steps: int | None


def answer_tuned(tables: TunedTables, experiment: Experiment, B: Problem) -> Tuned:
    """All answers, by question; plain data for JSON."""
    raise NotImplementedError
