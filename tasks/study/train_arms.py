"""train_arms: all of one seed's networks on task B."""

from pathlib import Path

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.model_files import load_network, save_model
from tasks.experiment.study.plan import Plan
from tasks.orchestration.stage import stage
from tasks.orchestration.terminal.progress import report_steps
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import write_json


@stage(run_name="train_arms seed {seed}")
def train_arms(B: Problem, plan: Plan, seed: int, model_A: Artifact) -> Artifact:
    """Store runs.json (one row per network), and the models that the plan wants kept as <arm>.keras."""
    from tasks.experiment.networks.trainer import set_threads
    from tasks.experiment.study.trials import run_trials

    set_threads()
    bodies = {"A": load_network(model_A.folder() / "model.keras")}
    rows, models = run_trials(B, plan, seed, bodies, report_steps(f"train_arms seed {seed}", "networks"))

    def write(folder: Path) -> None:
        write_json(folder / "runs.json", rows)
        for name, model in models.items():
            save_model(model, folder / f"{name}.keras")

    return save("train_arms", write)
