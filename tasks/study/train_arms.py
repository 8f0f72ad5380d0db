"""train_arms: all of one seed's networks on task B."""

import json
from pathlib import Path

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import load_task
from tasks.experiment.networks.blueprints import load_blueprint
from tasks.experiment.networks.model_files import load_network, save_model
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import Trial
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save


@stage(run_name="train_arms seed {seed}")
def train_arms(
    data: DataSet, start: Artifact, target: Artifact, experiment: Experiment, plan: tuple[Trial, ...],
    resample_target: bool, seed: int, model_A: Artifact,
) -> Artifact:  # fmt: skip
    """Store runs.json (a row a network), and the models that the plan wants kept as <arm>.keras."""
    from tasks.experiment.networks.trainer import set_threads
    from tasks.experiment.study.trials import run_trials

    set_threads()
    body = load_network(model_A.folder() / "model.keras")
    rows, models = run_trials(
        data, experiment, plan, load_task(target), load_blueprint(start), seed, body, resample_target=resample_target
    )

    def write(folder: Path) -> None:
        (folder / "runs.json").write_text(json.dumps(rows, indent=1))
        for name, model in models.items():
            save_model(model, folder / f"{name}.keras")

    return save("train_arms", write)
