"""The study: is it transfer that helps, what of it, how many labels is it worth, for which classes?"""

from typing import Annotated, Any

from prefect import unmapped
from prefect.runtime import flow_run
from pydantic import Field

from tasks.command_line import run_from_command_line
from tasks.download import content_of, download
from tasks.evaluate_study import evaluate_study
from tasks.experiment.arms import Trial, full_plan, pair_plan
from tasks.experiment.recipe import Experiment, Refresh, Replicates, Seed
from tasks.normalize import normalize
from tasks.progress import watch
from tasks.report import publish
from tasks.report_study import report_study
from tasks.split import split
from tasks.stage import pipeline, refreshing
from tasks.train import train_A
from tasks.train_arms import train_arms

Resample = Annotated[bool, Field(description="Each seed draws its own training images of task B.")]
Pairs = Annotated[bool, Field(description="Also try all pairs of target classes, with pair_replicates seeds each.")]
PairReplicates = Annotated[int, Field(ge=2, le=1000, description="Seeds for each pair of target classes.")]


@pipeline("transfer-study", prefix="study-")
def transfer_study(
    experiment: Experiment = Experiment(),  # noqa: B008 (frozen)
    replicates: Replicates = 29,
    seed: Seed = 42,
    resample_target: Resample = True,
    pairs: Pairs = False,
    pair_replicates: PairReplicates = 3,
    refresh: Refresh = False,
) -> str:
    """Is it transfer that helps, what of it, how many labels is it worth, and for which classes?"""
    seeds, pair_seeds = (list(range(seed, seed + count)) for count in (replicates, pair_replicates))
    with refreshing(refresh):
        data = download(experiment.dataset, content_of(experiment.dataset))
        pixels = {kind: normalize(data, kind) for kind in ("standardize", "none")}
        trained: list[Any] = []

        def train(variant: Experiment, plan: tuple[Trial, ...], seeds: list[int]) -> Any:
            """All networks of a variant of the experiment."""
            tasks = split(data, variant.target_numbers(data.classes), variant.target_samples, variant.balanced)
            given = unmapped(data), unmapped(pixels[variant.normalization])
            A = train_A.map(*given, unmapped(tasks.source), unmapped(variant.source_training), seeds)
            arms = unmapped(variant), unmapped(plan), unmapped(resample_target)
            runs = train_arms.map(*given, unmapped(tasks.target), *arms, seeds, A)
            trained.extend([*A, *runs])
            return runs

        runs = [*train(experiment, full_plan(experiment), seeds)]
        other_pixels = "none" if experiment.normalization == "standardize" else "standardize"
        runs += train(experiment.vary(normalization=other_pixels), pair_plan(experiment), seeds)
        for classes in experiment.all_target_classes(data.classes) if pairs else ():
            runs += train(experiment.vary(target_classes=classes), pair_plan(experiment), pair_seeds)
        watch("study", trained)
        for training in trained:
            training.result()  # an A that failed says why; what needed it would say only that
        answers = evaluate_study(data, experiment, [run.result() for run in runs])
        written = report_study(data, experiment, resample_target, answers)
    A, B = trained[0].result().folder(), runs[0].result().folder()
    models = {"A": A / "model.keras", "B_scratch": B / "scratch.keras", "B_on_A": B / "transfer.keras"}
    kept = {name: path for name, path in models.items() if path.exists()}  # one that diverged was not stored
    return str(publish(flow_run.name, written, kept, prefix="study-"))


if __name__ == "__main__":
    run_from_command_line(transfer_study, "flows.study")
