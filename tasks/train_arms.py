"""train_arms: all of one seed's networks on task B."""

import json
from pathlib import Path

from tasks.experiment.arms import Trial
from tasks.experiment.dataset import DataSet
from tasks.experiment.networks import load_network
from tasks.experiment.recipe import Experiment
from tasks.experiment.splits import load_task
from tasks.experiment.store import Artifact, save, save_model
from tasks.stage import stage


@stage(run_name="train_arms seed {seed}")
def train_arms(
    data: DataSet, start: Artifact, target: Artifact, experiment: Experiment, plan: tuple[Trial, ...],
    resample_target: bool, seed: int, model_A: Artifact,
) -> Artifact:  # fmt: skip
    """Store runs.json (a row a network), and the models that the plan wants kept as <arm>.keras."""
    from tasks.experiment.trainer import set_threads
    from tasks.experiment.training import load_start
    from tasks.experiment.trials import run_trials

    set_threads()
    body = load_network(model_A.folder() / "model.keras")
    rows, models = run_trials(
        data, experiment, plan, load_task(target), load_start(start), seed, body, resample_target=resample_target
    )

    def write(folder: Path) -> None:
        (folder / "runs.json").write_text(json.dumps(rows, indent=1))
        for name, model in models.items():
            save_model(model, folder / f"{name}.keras")

    return save("train_arms", write)
