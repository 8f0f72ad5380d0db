"""tune_arms: points of the grid tried on tuning seeds, round after round, until each arm has its recipe."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from prefect import unmapped
from prefect.futures import PrefectFutureList

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.study.plan import Plan
from tasks.experiment.study.tuned.choice import attempts, choose_recipes
from tasks.experiment.study.tuned.plan import Attempt, Chosen, TunedPlan
from tasks.orchestration.stage import stage
from tasks.orchestration.terminal.progress import report_steps, watch
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json, write_json


@stage(run_name="tune_arms seed {seed}")
def tune_arms(
    B: Problem, plan: Plan, attempts: list[Attempt], seed: int, model_A: Artifact, permuted: Artifact | None
) -> Artifact:
    """Store tried.json: one row per point of the grids, judged by images that its networks were not trained on."""
    from tasks.experiment.networks.trainer import set_threads
    from tasks.experiment.study.tuned.starts import Workbench
    from tasks.experiment.study.tuned.tuning import try_out

    set_threads()
    bodies = [load_network(each.folder() / "model.keras") if each else None for each in (model_A, permuted)]
    name = f"tune_arms seed {seed}, {attempts[0].trial.samples or 'all'} images"  # what its attempts have in common
    rows = try_out(Workbench(B, plan, seed, *bodies), attempts, report_steps(name, "grids"))
    return save("tune_arms", lambda folder: write_json(folder / "tried.json", rows))


@dataclass
class Tuning:
    """The tuned arms of one task B, and what was tried of them so far, on seeds that are for tuning alone."""

    plan: TunedPlan
    B: Problem
    seeds: list[int]
    models_A: PrefectFutureList[Artifact]
    permuted: PrefectFutureList[Artifact] | None
    tried: list[Artifact] = field(default_factory=list)

    def try_more(self) -> list[PrefectFutureList[Artifact]]:
        """Start the next round, one task run per seed and number of images; none if there is no more to try."""
        some = sorted(attempts(self.plan, self._rows()), key=lambda attempt: str(attempt.trial.samples))
        groups = [list(group) for _, group in itertools.groupby(some, key=lambda attempt: attempt.trial.samples)]
        groups.sort(key=len, reverse=True)  # what takes longest comes first
        fixed, permuted = (unmapped(self.B), unmapped(self.plan.notebook)), self.permuted or unmapped(None)
        return [tune_arms.map(*fixed, unmapped(group), self.seeds, self.models_A, permuted) for group in groups]

    def recipes(self) -> list[Chosen]:
        return choose_recipes(self.plan, self._rows())

    def _rows(self) -> Iterable[dict[str, Any]]:
        return [row for artifact in self.tried for row in read_json(artifact.folder() / "tried.json")]


def tune(name: str, tunings: list[Tuning]) -> None:
    """Try what there is to try, until all have their recipes; the progress of each round is shown under that name."""
    while started := [(tuning, runs) for tuning in tunings for runs in tuning.try_more()]:
        watch(name, [run for _, runs in started for run in runs])
        for tuning, runs in started:
            tuning.tried += runs.result()
