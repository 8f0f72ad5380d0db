"""The study: is it transfer that helps, what of it, how many labels is it worth, for which classes?"""

from typing import Annotated, Any

from prefect import unmapped
from prefect.runtime import flow_run
from pydantic import Field

from tasks.download import open_data
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.settings import Experiment, Refresh, Replicates, Seed
from tasks.experiment.study.arms import Trial, full_plan, pair_plan
from tasks.orchestration.command_line import run_from_command_line
from tasks.orchestration.progress import watch
from tasks.orchestration.provenance import made_with
from tasks.orchestration.publishing import publish
from tasks.orchestration.stage import computing, pipeline
from tasks.source import networks_A, open_source, results_with, starts
from tasks.split import split
from tasks.storage.in_use import artifacts_in_use
from tasks.study.evaluate_study import evaluate_study
from tasks.study.report_study import report_study
from tasks.study.train_arms import train_arms

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
    if pairs and len(experiment.target_classes) > 2:
        raise UnusableInputError("pairs compares pairs of classes: give two target_classes with it")
    with artifacts_in_use(), computing(refresh):
        data = open_data(experiment.dataset)
        source = open_source(experiment, data)
        started = {kind: starts(experiment.vary(normalization=kind), data, source) for kind in experiment.pixel_kinds}

        def train(variant: Experiment, plan: tuple[Trial, ...], seeds: list[int]) -> tuple[Any, Any]:
            """All networks of a variant of the experiment: those of A, and those of B."""
            classes = variant.target_numbers(data.classes)
            tasks = split(data, source, classes, variant.target_samples, variant.balanced)
            start_A, start_B = started[variant.normalization]
            A = networks_A(variant, source, start_A, tasks.source, seeds)
            given = unmapped(data), unmapped(start_B)
            arms = unmapped(variant), unmapped(plan), unmapped(resample_target)
            return A, train_arms.map(*given, unmapped(tasks.target), *arms, seeds, A)

        first = train(experiment, full_plan(experiment), seeds)
        other_pixels = [
            train(experiment.vary(normalization=kind), pair_plan(experiment), seeds)
            for kind in experiment.pixel_kinds[1:]
        ]
        other_classes = [
            train(experiment.vary(target_classes=classes), pair_plan(experiment), pair_seeds)
            for classes in (experiment.all_target_classes(data.classes) if pairs else ())
        ]
        trained = [first, *other_pixels, *other_classes]
        watch("study", [future for A, B in trained for future in (*(A if source else ()), *B)])
        done = [results_with(A, B, may_diverge=(A, B) in other_pixels) for A, B in trained]
        runs = [run for _, B in done for run in B]
        answers = evaluate_study(data, experiment, runs)
        written = report_study(data, source, experiment, resample_target, answers, made_with())
        A, B = (networks[0].folder() for networks in done[0])
        models = {"A": A / "model.keras", "B_scratch": B / "scratch.keras", "B_on_A": B / "transfer.keras"}
        kept = {name: path for name, path in models.items() if path.exists()}  # one that diverged was not stored
        folder = publish(flow_run.name, written, kept, prefix="study-")
    return str(folder)


if __name__ == "__main__":
    run_from_command_line(transfer_study, "flows.study")
