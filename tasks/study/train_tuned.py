"""train_tuned: one seed's networks by the chosen recipes, and the trajectories that they are on."""

from pathlib import Path

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.model_files import load_network
from tasks.experiment.study.tuned.plan import Chosen, TunedPlan
from tasks.orchestration.stage import stage
from tasks.orchestration.terminal.progress import report_steps
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import write_json


@stage(run_name="train_tuned seed {seed}")
def train_tuned(
    B: Problem, plan: TunedPlan, recipes: list[Chosen] | None, seed: int, model_A: Artifact, permuted: Artifact | None
) -> Artifact:
    """Store runs.json (one row per network), curves.json (one row per checkpoint), recipes.json and tried.json.

    recipes: None: this seed's own, chosen by its own cross-validation, whose points tried.json then holds.
    """
    from tasks.experiment.networks.trainer import set_threads
    from tasks.experiment.study.trials import run_trials
    from tasks.experiment.study.tuned.choice import choose_recipes
    from tasks.experiment.study.tuned.starts import Workbench
    from tasks.experiment.study.tuned.trials import describe_recipe, train_chosen
    from tasks.experiment.study.tuned.tuning import tune_alone

    set_threads()
    bodies = [load_network(each.folder() / "model.keras") if each else None for each in (model_A, permuted)]
    bench = Workbench(B, plan.notebook, seed, *bodies)
    tried = tune_alone(bench, plan) if recipes is None else []
    chosen = choose_recipes(plan, tried) if recipes is None else recipes
    rows, curves = train_chosen(bench, plan, chosen, report_steps(f"train_tuned seed {seed}", "networks"))
    fixed, _ = run_trials(B, plan.notebook, seed, bench.bodies)

    of_seed = {"seed": seed} if recipes is None else {}

    def write(folder: Path) -> None:
        write_json(folder / "runs.json", rows + fixed)
        write_json(folder / "curves.json", curves)
        write_json(folder / "recipes.json", [of_seed | describe_recipe(bench, each) for each in chosen])
        write_json(folder / "tried.json", tried)

    return save("train_tuned", write)
