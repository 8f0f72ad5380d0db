"""The recommendation: these labelled images, these models: what should be done, and how good will it be?"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from prefect import State, get_run_logger, unmapped
from pydantic import Field

from tasks.download import open_data, open_source
from tasks.experiment.data import fashion_mnist
from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.formats.files import given_path
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.splits import Problem
from tasks.experiment.recommend.methods import Judging, Method, Source, methods
from tasks.experiment.recommend.settings import Question, split_layer
from tasks.experiment.settings import Refresh
from tasks.normalize import normalize, starts
from tasks.orchestration.provenance import made_with
from tasks.orchestration.publishing import conclude, publish
from tasks.orchestration.run_names import as_file_name
from tasks.orchestration.stage import computing, pipeline
from tasks.orchestration.terminal.command_line import run_from_command_line
from tasks.orchestration.terminal.progress import watch
from tasks.recommend.decide import JudgedMethod, chosen_recipe, decide, dropped, extrapolate
from tasks.recommend.judge import embed, judge
from tasks.recommend.labels import collect, draw_labels
from tasks.recommend.refit import refit
from tasks.recommend.report_recommendation import report_recommendation
from tasks.recommend.sources import cut_A, cut_body
from tasks.storage.artifacts import Artifact
from tasks.storage.files import printable
from tasks.storage.in_use import artifacts_in_use
from tasks.train import train_A

SHARES = (0.25, 0.5, 0.75)  # of a fold's training images, for the learning curve
CURVE_REPETITIONS = 2
LARGE = 4_000_000  # bytes of a body: a million weights
DrawnBy = Annotated[int, Field(ge=0, le=2**31, description="What labels, folds and initial weights are drawn by.")]


def _describe(given: dict[str, Any]) -> list[str]:
    """For the run's name."""
    question = Question.model_validate(given["question"])
    data = as_file_name(Path(question.dataset).stem) if question.dataset != fashion_mnist.NAME else ""
    return [data, f"{question.wanted_labels or 'all'}-labels-seed-{given['seed']}"]


@pipeline("transfer-recommend", prefix="recommend-", describe=_describe)
def transfer_recommend(
    question: Question = Question(),  # noqa: B008 (frozen)
    seed: DrawnBy = 42,
    refresh: Refresh = False,
) -> State[str]:
    """What to do with these labelled images and these models, how good it will be, and the model."""
    with artifacts_in_use(), computing(refresh):
        data = _open(question)
        B = draw_labels(data, question.wanted_classes, question.wanted_labels, seed)
        sources = [*_models(question, data), *_datasets(question, B, seed)]
        contestants = methods(B.start, question.training, sources, question.methods, question.augmentation)
        judged = _judge_all(B, contestants, question.judging, seed)
        choice = decide(B, judged, seed)
        chosen, recipe = chosen_recipe(choice, judged)
        curve = _curve(B, chosen, question.judging, seed)
        model = refit(B, chosen.method, question.judging, recipe, seed)
        written = report_recommendation(question, seed, B, question.judging, choice, curve, model, made_with())
        folder = publish(written, {"recommended": model.folder() / "model.keras"}, prefix="recommend-")
    return conclude(folder)


def _open(question: Question) -> DataSet:
    """All labelled images there are; the log has what is to be known of them."""
    if question.dataset == fashion_mnist.NAME:
        return open_data(question.dataset, question.sizing)
    data = collect(question.dataset, fingerprint(given_path(question.dataset)), question.sizing)
    for note in data.notes:
        get_run_logger().warning("%s: %s", printable(question.dataset), printable(note))
    return data


def _models(question: Question, data: DataSet) -> Iterable[Source]:
    """The trained models that were given, cut."""
    for experiment in question.experiments():
        name, layer = str(experiment.source_model), experiment.source_layer
        yield _source(_called(name, layer), starts(experiment, data, None)[0])


def _datasets(question: Question, B: Problem, seed: int) -> Iterable[Source]:
    """Networks that are trained here on data sets, cut."""
    for given in question.wanted_datasets:
        name, layer = split_layer(given)
        source = open_source(B.data, name, None, question.image_fit)
        assert source
        taken = B.class_names if name == question.dataset else ()
        A = cut_A(source, normalize(source, "standardize"), taken)
        model = train_A(A, question.training, seed)
        called = f"{name}'s other classes" if taken else name
        yield _source(_called(called, layer), cut_body(model, layer, B.data.image_shape))


def _source(name: str, body: Artifact) -> Source:
    return Source(name=name, body=body, is_large=(body.folder() / "model.keras").stat().st_size > LARGE)


def _called(name: str, layer: str | None) -> str:
    short = name.rstrip("/").rpartition("/")[2]
    return f"{short} up to {layer}" if layer else short


def _judge_all(B: Problem, contestants: list[Method], judging: Judging, seed: int) -> list[JudgedMethod]:
    """All methods, repetition after repetition; what is clearly worse after one is not judged again."""
    inputs = _embed_all(B, contestants, seed)
    judged = [JudgedMethod(name=each.name, source=each.source, method=each, repetitions=[]) for each in contestants]
    left = list(range(len(judged)))
    for repetition in range(judging.repetitions):
        given = [judged[number].method for number in left]
        fixed = unmapped(B), given, unmapped(judging), seed, repetition
        runs = judge.map(*fixed, [inputs.get(_start(method)) for method in given])
        watch(f"judging-{repetition + 1}-of-{judging.repetitions}", list(runs))
        for number, run in zip(left, runs.result(), strict=True):
            repetitions = [*judged[number].repetitions, run]
            judged[number] = judged[number].model_copy(update={"repetitions": repetitions})
        worse = dropped(B, [judged[number] for number in left])
        for number in [number for number, is_worse in zip(left, worse, strict=True) if is_worse]:
            get_run_logger().info("%s: clearly worse, not judged again", printable(judged[number].name))
        left = [number for number, is_worse in zip(left, worse, strict=True) if not is_worse]
    return judged


def _embed_all(B: Problem, contestants: list[Method], seed: int) -> dict[str, Artifact]:
    """What bodies make of the labelled images, for methods with a probe, by their start."""
    probed = [method.model_copy(update={"trained": False}) for method in contestants if method.head == "probe"]
    probes = {_start(method): method for method in probed}
    runs = embed.map(unmapped(B), list(probes.values()), seed)
    return dict(zip(probes, runs.result(), strict=True))


def _start(method: Method) -> str:
    return f"{method.start.path} {method.training} {method.augmentation}" if method.head == "probe" else ""


def _curve(B: Problem, chosen: JudgedMethod, judging: Judging, seed: int) -> Artifact:
    """The chosen method with fewer images to train on."""
    inputs = _embed_all(B, [chosen.method], seed).get(_start(chosen.method))
    repetitions = list(range(min(CURVE_REPETITIONS, len(chosen.repetitions))))
    fixed = unmapped(B), unmapped(chosen.method), unmapped(judging), seed
    runs = [judge.map(*fixed, repetitions, unmapped(inputs), share) for share in SHARES]
    watch("learning-curve", [run for each in runs for run in each])
    judged = [each.result() for each in runs] + [chosen.repetitions]
    return extrapolate(B, [*SHARES, 1.0], judged, seed)


if __name__ == "__main__":
    run_from_command_line(transfer_recommend, "flows.recommend")
