"""tune_arms: points of the grid tried on a tuning seed."""

from collections.abc import Iterable
from typing import Any

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.study.plan import Plan
from tasks.experiment.study.tuned_plan import Attempt
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json, write_json


@stage(run_name="tune_arms seed {seed}")
def tune_arms(
    B: Problem, plan: Plan, attempts: list[Attempt], seed: int, model_A: Artifact, permuted: Artifact | None
) -> Artifact:
    """Store tried.json: one row per point of the grids, judged by images that its networks were not trained on."""
    from tasks.experiment.networks.trainer import set_threads
    from tasks.experiment.study.tuned_starts import Workbench
    from tasks.experiment.study.tuning_trials import try_out

    set_threads()
    bodies = [load_network(each.folder() / "model.keras") if each else None for each in (model_A, permuted)]
    rows = try_out(Workbench(B, plan, seed, *bodies), attempts)
    return save("tune_arms", lambda folder: write_json(folder / "tried.json", rows))


def read_tried(artifacts: Iterable[Artifact]) -> list[dict[str, Any]]:
    """All that was tried so far."""
    return [row for artifact in artifacts for row in read_json(artifact.folder() / "tried.json")]
