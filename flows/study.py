"""The study: does transfer help, what about it, how many labels is it worth, and for which classes?"""

from dataclasses import dataclass
from typing import Annotated, Any

from prefect import unmapped
from prefect.futures import PrefectFutureList
from prefect.runtime import flow_run
from pydantic import Field

from tasks.download import open_data, open_source
from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.splits import Problem
from tasks.experiment.errors import DivergedError, UnusableInputError
from tasks.experiment.settings import Experiment, Refresh, Replicates, Seed
from tasks.experiment.study.arms import full_plan, pair_plan
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
from tasks.study.evaluate_study import evaluate_study
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
class Trained:
    """A variant's task A and task B, and their networks, which are still being trained."""

    A: Problem
    B: Problem
    models_A: PrefectFutureList[Artifact]
    arms: PrefectFutureList[Artifact]


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
    """Does transfer help, what about it helps, how many labels is it worth, and for which classes?"""
    if pairs and len(experiment.target_classes) > 2:
        raise UnusableInputError("pairs compares pairs of classes: give two target_classes with it")
    seeds, pair_seeds = (list(range(seed, seed + count)) for count in (replicates, pair_replicates))
    with artifacts_in_use(), computing(refresh):
        data = open_data(experiment.dataset)
        source = open_source(data, experiment.source_dataset, experiment.source_model)
        own_pixels, *other_pixels = (experiment.vary(normalization=kind) for kind in experiment.pixel_kinds)
        all_classes = experiment.all_target_classes(data.classes) if pairs else []
        other_classes = (experiment.vary(target_classes=classes) for classes in all_classes)
        variants = [
            Variant(own_pixels, full_plan(own_pixels, resample=resample_target), seeds),
            *(Variant(v, pair_plan(v, resample=resample_target), seeds, may_diverge=True) for v in other_pixels),
            *(Variant(v, pair_plan(v, resample=resample_target), pair_seeds) for v in other_classes),
        ]
        built_from = {each.normalization: starts(each, data, source) for each in (own_pixels, *other_pixels)}
        training = [_train(each, data, source, built_from[each.experiment.normalization]) for each in variants]
        watch("study", [future for each in training for futures in (each.models_A, each.arms) for future in futures])
        trained = [_results(each, variant.may_diverge) for each, variant in zip(training, variants, strict=True)]
        A, B = training[0].A, training[0].B
        answers = evaluate_study(experiment, B, [run for _, arms in trained for run in arms])
        written = report_study(experiment, A, B, resample_target, answers, made_with())
        model_A, models_B = (networks[0].folder() for networks in trained[0])
        files = {"A": model_A / "model.keras", "B_scratch": models_B / "scratch.keras",
                 "B_on_A": models_B / "transfer.keras"}  # fmt: skip
        kept = {name: file for name, file in files.items() if file.exists()}  # one that diverged was not stored
        folder = publish(flow_run.name, written, kept, prefix="study-")
    return str(folder)


def _train(variant: Variant, data: DataSet, source: DataSet | None, start: tuple[Artifact, Artifact]) -> Trained:
    """Start all training runs of a variant. start: what its networks of A and of B are built from."""
    experiment, seeds = variant.experiment, variant.seeds
    A, B = split(data, source, *start, experiment.target)
    models_A = train_A.map(unmapped(A), unmapped(experiment.source_training), seeds)
    return Trained(A, B, models_A, train_arms.map(unmapped(B), unmapped(variant.plan), seeds, models_A))


def _results(training: Trained, may_diverge: bool) -> tuple[list[Artifact], list[Artifact]]:
    """Networks of A, and what was trained on them. An error of A comes first: it says why B has no result.

    may_diverge: if one of A diverged there is nothing to compare, and no result.
    """
    try:
        models_A: list[Any] = training.models_A.result()
    except DivergedError:
        if may_diverge:
            return [], []
        raise
    return models_A, training.arms.result()


if __name__ == "__main__":
    run_from_command_line(transfer_study, "flows.study")
