"""decide, extrapolate: the choice among all methods, and what more labelled images would be worth to it."""

from collections.abc import Sequence

import numpy as np

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.tuning.grid import Recipe
from tasks.experiment.recommend.answers import Choice, Contestant, decide_among
from tasks.experiment.recommend.choice import Folds, answers_of, clearly_worse
from tasks.experiment.recommend.curve import learning_curve
from tasks.experiment.recommend.judging import Judged
from tasks.experiment.recommend.methods import Method
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, Handle, save
from tasks.storage.files import read_json, write_json


class JudgedMethod(Handle):
    """A method, and what `judge` stored of each of its repetitions. name, source: as people are to read them."""

    name: str
    source: str
    method: Method
    repetitions: list[Artifact]

    def load(self) -> list[Judged]:
        return _load(self.repetitions)


def dropped(B: Problem, judged: Sequence[JudgedMethod]) -> list[bool]:
    """Which of these methods, judged equally often, are clearly worse than the best of them."""
    labels = B.parts()["training"].labels
    found = [each.load() for each in judged]
    folds = Folds(np.stack([repetition.folds for repetition in found[0]]))
    return clearly_worse([answers_of(each, labels) == labels for each in found], folds)


@stage()
def decide(B: Problem, judged: list[JudgedMethod], seed: int) -> Artifact:
    """Store choice.json, a Choice."""
    contestants = [
        Contestant(
            name=each.name, source=each.source, judged=each.load(), learns=each.method.head != "prior",
            weights=read_json(each.repetitions[0].folder() / "size.json")["weights"],
            penalized=each.method.head == "probe" and not each.method.trained,
        )
        for each in judged
    ]  # fmt: skip
    training = B.parts()["training"]
    choice = decide_among(contestants, training.labels, B.class_names, training.rows, B.data.file_names(), seed)
    return save("decide", lambda folder: write_json(folder / "choice.json", choice))


def chosen_recipe(choice: Artifact, judged: Sequence[JudgedMethod]) -> tuple[JudgedMethod, Recipe]:
    """The method that was chosen, and how to make its model of all labelled images."""
    found: Choice = read_json(choice.folder() / "choice.json")
    row = next(each for each in found["candidates"] if each["name"] == found["chosen"])
    rate = row["learning_rate"] or row["penalty"] or 0.0
    recipe = Recipe(learning_rate=rate, epochs=row["epochs"] or 0, edge=row["edge"])
    return next(each for each in judged if each.name == found["chosen"]), recipe


@stage()
def extrapolate(B: Problem, shares: list[float], judged: list[list[Artifact]], seed: int) -> Artifact:
    """Store curve.json, a Curve. judged: one method's repetitions with each of these shares of the training images."""
    labels = B.parts()["training"].labels
    found = [_load(each) for each in judged]
    folds = int(found[0][0].folds.max()) + 1
    images = [max(2, round(share * len(labels) * (1 - 1 / folds))) for share in shares]
    curve = learning_curve([answers_of(each, labels) == labels for each in found], images, len(labels), seed)
    return save("extrapolate", lambda folder: write_json(folder / "curve.json", curve))


def _load(judged: Sequence[Artifact]) -> list[Judged]:
    return [Judged.load(each.folder() / "judged.npz") for each in judged]
