"""The study: does transfer help, what about it, how many labels is it worth, and for which classes?"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from prefect import get_run_logger, unmapped
from prefect.futures import PrefectFutureList
from prefect.runtime import flow_run
from pydantic import Field

from tasks.download import open_data, open_source
from tasks.experiment.data.splits import Problem
from tasks.experiment.errors import DivergedError, UnusableInputError
from tasks.experiment.results.sequential import looks
from tasks.experiment.results.verdicts import fewest_pairs
from tasks.experiment.settings import Experiment, Refresh, Replicates, Seed, StopEarly
from tasks.experiment.study.arms import arms, full_plan, pair_plan
from tasks.experiment.study.plan import Plan
from tasks.normalize import starts
from tasks.orchestration.command_line import run_from_command_line
from tasks.orchestration.progress import watch
from tasks.orchestration.provenance import made_with
from tasks.orchestration.publishing import publish
from tasks.orchestration.stage import computing, pipeline
from tasks.split import split
from tasks.storage.artifacts import Artifact
from tasks.storage.in_use import artifacts_in_use
from tasks.study.evaluate_study import can_tell, evaluate_study
from tasks.study.report_study import report_study
from tasks.study.train_arms import train_arms
from tasks.train import train_A

Resample = Annotated[bool, Field(description="Each seed draws its own training images of task B.")]
Pairs = Annotated[bool, Field(description="Also try all pairs of target classes, with pair_replicates seeds each.")]
PairReplicates = Annotated[int, Field(ge=2, le=1000, description="Seeds for each pair of target classes.")]


@dataclass(frozen=True)
class Variant:
    """What is trained for each of some seeds. may_diverge: if A does, the study goes on without this variant."""

    experiment: Experiment
    plan: Plan
    seeds: list[int]
    may_diverge: bool = False


@dataclass(frozen=True)
class Training:
    """A variant, its task A and task B, and its networks while they are trained."""

    variant: Variant
    A: Problem
    B: Problem
    models_A: PrefectFutureList[Artifact]
    arms: PrefectFutureList[Artifact]


@pipeline("transfer-study", prefix="study-")
def transfer_study(
    experiment: Experiment = Experiment(),  # noqa: B008 (frozen)
    replicates: Replicates = 29,
    seed: Seed = 42,
    stop_early: StopEarly = False,
    resample_target: Resample = True,
    pairs: Pairs = False,
    pair_replicates: PairReplicates = 3,
    refresh: Refresh = False,
) -> str:
    """Does transfer help, what about it helps, how many labels is it worth, and for which classes?"""
    if pairs and len(experiment.target_classes) > 2:
        raise UnusableInputError("pairs compares pairs of classes: give two target_classes with it")
    seeds, pair_seeds = (list(range(seed, seed + count)) for count in (replicates, pair_replicates))
    if replicates < (fewest := fewest_pairs(len(arms(experiment)) - 1)):
        get_run_logger().warning("With fewer than %d pairs this study can't tell which arms help", fewest)
    with artifacts_in_use(), computing(refresh):
        data = open_data(experiment.dataset)
        source = open_source(data, experiment.source_dataset, experiment.source_model)
        own_pixels, *other_pixels = (experiment.vary(normalization=kind) for kind in experiment.pixel_kinds)
        all_classes = experiment.all_target_classes(data) if pairs else []
        other_classes = [experiment.vary(target_classes=classes) for classes in all_classes]
        built_from = {each.normalization: starts(each, data, source) for each in (own_pixels, *other_pixels)}

        def train(variant: Variant) -> Training:
            """Start all training runs of a variant."""
            own = variant.experiment
            A, B = split(data, source, *built_from[own.normalization], own.target)
            models_A = train_A.map(unmapped(A), unmapped(own.source_training), variant.seeds)
            return Training(
                variant, A, B, models_A, train_arms.map(unmapped(B), unmapped(variant.plan), variant.seeds, models_A)
            )

        full, pair = full_plan(experiment, resample=resample_target), partial(pair_plan, resample=resample_target)
        models_A: list[Artifact] = []
        runs: list[Artifact] = []
        for look in looks(replicates, stop_early=stop_early):
            own = train(Variant(own_pixels, full, seeds[len(runs) : look.pairs]))
            for more, so_far in zip(_results("study", [own])[0], (models_A, runs), strict=True):
                so_far += more
            answers = evaluate_study(experiment, own.B, runs, look)
            if can_tell(answers, look):
                break
        others = [
            *(train(Variant(each, pair(each), seeds[: len(runs)], may_diverge=True)) for each in other_pixels),
            *(train(Variant(each, pair(each), pair_seeds)) for each in other_classes),
        ]
        runs_of_others = [run for _, arms in _results("study-variants", others) for run in arms]
        answers = evaluate_study(experiment, own.B, runs + runs_of_others, look)
        written = report_study(experiment, own.A, own.B, resample_target, answers, made_with())
        model_A, models_B = models_A[0].folder(), runs[0].folder()
        files = {"A": model_A / "model.keras", "B_scratch": models_B / "scratch.keras",
                 "B_on_A": models_B / "transfer.keras"}  # fmt: skip
        kept = {name: file for name, file in files.items() if file.exists()}  # one that diverged was not stored
        folder = publish(flow_run.name, written, kept, prefix="study-")
    return str(folder)


def _results(name: str, trainings: list[Training]) -> list[tuple[list[Artifact], list[Artifact]]]:
    """Networks of A, and what was trained on them, of each; their progress is shown under that name.

    An error of A comes first: it says why B has no result. Of a variant that may diverge and did there is nothing to
    compare, and no result.
    """
    if trainings:
        watch(name, [future for each in trainings for futures in (each.models_A, each.arms) for future in futures])
    done = []
    for each in trainings:
        try:
            done.append((each.models_A.result(), each.arms.result()))
        except DivergedError:
            if not each.variant.may_diverge:
                raise
    return done


if __name__ == "__main__":
    run_from_command_line(transfer_study, "flows.study")
