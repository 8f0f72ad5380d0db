"""The study: does transfer help, what about it, how many labels is it worth, and for which classes?"""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from prefect import State, get_run_logger, unmapped
from prefect.futures import PrefectFutureList
from pydantic import AfterValidator, Field

from tasks.download import open_data, open_source
from tasks.experiment.data.splits import Problem
from tasks.experiment.errors import DivergedError, UnusableInputError
from tasks.experiment.results.statistics.sequential import looks
from tasks.experiment.results.statistics.verdicts import fewest_pairs
from tasks.experiment.settings import Experiment, Refresh, Replicates, Seed, StopEarly
from tasks.experiment.study.arms import arms, full_plan, pair_plan
from tasks.experiment.study.plan import Plan
from tasks.experiment.study.tuned.arms import QUICK_REPLICATES, QUICK_SEEDS, SEEDS, full_tuned_plan, pair_tuned_plan
from tasks.experiment.study.tuned.plan import Chosen, TunedPlan
from tasks.normalize import starts
from tasks.orchestration.provenance import made_with
from tasks.orchestration.publishing import conclude, publish
from tasks.orchestration.run_names import describe_pairs
from tasks.orchestration.stage import computing, pipeline
from tasks.orchestration.terminal.command_line import run_from_command_line
from tasks.orchestration.terminal.progress import watch
from tasks.split import split
from tasks.storage.artifacts import Artifact
from tasks.storage.in_use import artifacts_in_use
from tasks.study.evaluate_study import TunedResults, can_tell, evaluate_study
from tasks.study.report_study import report_study
from tasks.study.train_arms import train_arms
from tasks.study.train_permuted import train_A_permuted
from tasks.study.train_tuned import train_tuned
from tasks.study.tune_arms import Tuning, tune
from tasks.train import train_A


def _is_untuned(experiment: Experiment) -> Experiment:
    """A study's experiment, which is refused before there is a run, like any setting that can't be used."""
    if experiment.tuning != "none":
        raise ValueError("a study tunes arms of its own, beside those of the recipe: leave experiment.tuning out")
    return experiment


Untuned = Annotated[Experiment, AfterValidator(_is_untuned)]
Resample = Annotated[bool, Field(description="Each seed draws its own training images of task B.")]
Pairs = Annotated[bool, Field(description="Also try all pairs of target classes, with pair_replicates seeds each.")]
TunedToo = Annotated[
    bool, Field(description="Also tune each arm, so that none is judged by a recipe that suits another (minutes).")
]
Nested = Annotated[
    bool, Field(description="Choose recipes anew for each seed, by its own cross-validation, not on seeds for tuning.")
]
Quick = Annotated[
    bool, Field(description="A first impression: at most 8 pairs, and fewer rates, seeds and budgets to tune with.")
]
PairReplicates = Annotated[
    int, Field(ge=2, le=1000, description="Seeds for each pair of target classes; no more than replicates.")
]


@dataclass(frozen=True)
class Task:
    """An experiment's task A and task B, and how B's tuned arms are tuned, if it has any."""

    experiment: Experiment
    A: Problem
    B: Problem
    tuned: TunedPlan | None = None


@dataclass(frozen=True)
class Variant:
    """What is trained for each of some seeds. may_diverge: if A does, the study goes on without this variant.

    recipes: of the tuned arms, or None: each seed chooses its own.
    """

    task: Task
    plan: Plan
    seeds: list[int]
    may_diverge: bool = False
    recipes: list[Chosen] | None = None


@dataclass(frozen=True)
class Training:
    """A variant, and its networks while they are trained: of A, by the notebook's recipe, and tuned."""

    variant: Variant
    models_A: PrefectFutureList[Artifact]
    arms: PrefectFutureList[Artifact]
    tuned: PrefectFutureList[Artifact] | None


def _pairs(replicates: int, quick: bool) -> int:
    return min(replicates, QUICK_REPLICATES) if quick else replicates


def _describe(given: dict[str, Any]) -> list[str]:
    """For the run's name."""
    return describe_pairs(given | {"replicates": _pairs(given["replicates"], given["quick"])})


@pipeline("transfer-study", prefix="study-", describe=_describe)
def transfer_study(
    experiment: Untuned = Experiment(),  # noqa: B008 (frozen)
    replicates: Replicates = 29,
    seed: Seed = 42,
    stop_early: StopEarly = False,
    resample_target: Resample = True,
    pairs: Pairs = False,
    pair_replicates: PairReplicates = 3,
    tuned: TunedToo = True,
    nested: Nested = False,
    quick: Quick = False,
    refresh: Refresh = False,
) -> State[str]:
    """Does transfer help, also if both sides are trained well? What helps, from how few labels, for which classes?"""
    if pairs and len(experiment.target_classes) > 2:
        raise UnusableInputError("pairs compares pairs of classes: give two target_classes with it")
    replicates = _pairs(replicates, quick)
    if pairs and replicates < 2:
        raise UnusableInputError("pairs compares each pair of classes over seeds: give replicates 2 or more with it")
    seeds = list(range(seed, seed + replicates))
    if replicates < (fewest := fewest_pairs(len(arms(experiment)) - 1)):
        get_run_logger().warning("With fewer than %d pairs this study can't tell which arms help", fewest)
    with artifacts_in_use(), computing(refresh):
        data = open_data(experiment.dataset, experiment.sizing)
        source = open_source(data, experiment.source_dataset, experiment.source_model, experiment.image_fit)
        own_pixels, *other_pixels = (experiment.vary(normalization=kind) for kind in experiment.pixel_kinds)
        all_classes = experiment.all_target_classes(data) if pairs else []
        other_classes = [experiment.vary(target_classes=classes) for classes in all_classes]
        built_from = {each.normalization: starts(each, data, source) for each in (own_pixels, *other_pixels)}
        how = {"resample": resample_target}

        def task(each: Experiment, plan: TunedPlan | None = None) -> Task:
            return Task(each, *split(data, source, *built_from[each.normalization], each.target), plan)

        def choose(name: str, tasks: list[Task], seeds: list[int]) -> list[list[Chosen] | None]:
            """Each task's recipes, from these tuning seeds."""
            tunings = [_start_tuning(each, seeds) if each.tuned and not nested else None for each in tasks]
            started = [tuning for tuning in tunings if tuning]
            tune(name, started)
            tried.extend(artifact for tuning in started for artifact in tuning.tried)
            return [tuning.recipes() if tuning else None for tuning in tunings]

        tried: list[Artifact] = []
        own = task(own_pixels)
        if tuned:
            own = replace(own, tuned=full_tuned_plan(own_pixels, own.A, own.B, **how, quick=quick))
        (recipes,) = choose("study-tuning", [own], list(QUICK_SEEDS if quick else SEEDS))
        models_A: list[Artifact] = []
        runs: list[Artifact] = []
        networks: list[Artifact] = []
        steps = (own.tuned.source_steps or None) if own.tuned else None
        for look in looks(replicates, stop_early=stop_early):
            variant = Variant(own, full_plan(own_pixels, **how), seeds[len(runs) : look.pairs], recipes=recipes)
            for more, so_far in zip(_results("study", [_train(variant)])[0], (models_A, runs, networks), strict=True):
                so_far += more
            results = TunedResults(tried=tried, networks=networks, source_steps=steps)
            answers = evaluate_study(experiment, own.B, runs, look, results)
            if can_tell(answers, look):
                break
        same = own_pixels.vary(target_classes=own.B.classes)  # its arms are tuned already
        plans = {each: pair_tuned_plan(each, **how, quick=quick) for each in other_classes if tuned and each != same}
        other_tasks = [task(each, plans.get(each)) for each in other_classes]
        recipes_of_others = choose("study-tuning-classes", other_tasks, list(SEEDS[:1]))
        some = min(pair_replicates, len(runs))  # the experiment's own classes, one of these pairs, have no more
        others = [
            *(Variant(task(each), pair_plan(each, **how), seeds[: len(runs)], True) for each in other_pixels),
            *(
                Variant(each, pair_plan(each.experiment, **how), seeds[:some], recipes=chosen)
                for each, chosen in zip(other_tasks, recipes_of_others, strict=True)
            ),
        ]
        for _, more_runs, more_networks in _results("study-variants", [_train(variant) for variant in others]):
            runs, networks = runs + more_runs, networks + more_networks
        results = TunedResults(tried=tried, networks=networks, source_steps=steps)
        answers = evaluate_study(experiment, own.B, runs, look, results)
        written = report_study(experiment, own.A, own.B, resample_target, answers, made_with())
        model_A, models_B = models_A[0].folder(), runs[0].folder()
        files = {"A": model_A / "model.keras", "B_scratch": models_B / "scratch.keras",
                 "B_on_A": models_B / "transfer.keras"}  # fmt: skip
        kept = {name: file for name, file in files.items() if file.exists()}  # one that diverged was not stored
        folder = publish(written, kept, prefix="study-")
    return conclude(folder)


def _train_A(task: Task, seeds: list[int]) -> tuple[PrefectFutureList[Artifact], PrefectFutureList[Artifact] | None]:
    """Start training A on these seeds; also on permuted labels, if a tuned arm needs it and A is trained here."""
    given = unmapped(task.A), unmapped(task.experiment.source_training), seeds
    permutes = task.tuned and task.tuned.permutes
    return train_A.map(*given), train_A_permuted.map(*given) if permutes else None


def _start_tuning(task: Task, seeds: list[int]) -> Tuning:
    assert task.tuned
    return Tuning(task.tuned, task.B, seeds, *_train_A(task, seeds))


def _train(variant: Variant) -> Training:
    """Start all training runs of a variant."""
    task, seeds, tuned = variant.task, variant.seeds, None
    models_A, permuted = _train_A(task, seeds)
    arms = train_arms.map(unmapped(task.B), unmapped(variant.plan), seeds, models_A)
    if task.tuned:
        plan, recipes = unmapped(task.tuned), unmapped(variant.recipes)
        tuned = train_tuned.map(unmapped(task.B), plan, recipes, seeds, models_A, permuted or unmapped(None))
    return Training(variant, models_A, arms, tuned)


def _results(name: str, trainings: list[Training]) -> list[tuple[list[Artifact], list[Artifact], list[Artifact]]]:
    """Networks of A, and what was trained on them, of each; their progress is shown under that name.

    An error of A comes first: it says why B has no result. Of a variant that may diverge and did there is nothing to
    compare, and no result.
    """
    parts = [[each.models_A, each.arms, *([each.tuned] if each.tuned else [])] for each in trainings]
    if trainings:
        watch(name, [future for of_one in parts for futures in of_one for future in futures])
    done = []
    for each in trainings:
        try:
            done.append((each.models_A.result(), each.arms.result(), each.tuned.result() if each.tuned else []))
        except DivergedError:
            if not each.variant.may_diverge:
                raise
    return done


if __name__ == "__main__":
    run_from_command_line(transfer_study, "flows.study")
