"""One method, judged by cross-validation: what each point of its grid answers to each image that it never saw."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.networks.tuning.cross_validation import fold_numbers
from tasks.experiment.randomness import derive_seed
from tasks.experiment.recommend.making import Bench, Rows
from tasks.experiment.recommend.methods import Judging
from tasks.experiment.scores import Labels, Probabilities, decide
from tasks.experiment.study.tuned.probe import answer

Point = tuple[float, int]  # learning rate, or a probe's penalty, and epochs


@dataclass(frozen=True)
class Judged:
    """One repetition of a method. points: (points, 2), see Point. folds: the one that held an image out, (images,).

    answers: class numbers, (points, images). losses: cross-entropy in nats, infinite for a diverged network, likewise.
    """

    points: NDArray[np.float64]
    folds: Rows
    answers: NDArray[np.int32]
    losses: NDArray[np.float32]

    def save(self, path: Path) -> None:
        np.savez(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in arrays})


def judge(bench: Bench, judging: Judging, repetition: int, share: float = 1.0) -> Judged:
    """Each image answered by networks that were not trained on it. share: of a fold's training images that are used."""
    labels, folds = bench.labels, repetition_folds(bench.labels, judging, bench.seed, repetition)
    tried: list[dict[Point, Probabilities]] = []
    parts: list[Rows] = []
    for fold in range(folds.max() + 1):
        training, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        tried.append(dict(_try(bench, judging, first_share(training, labels[training], share), held_out)))
        parts.append(held_out)
    answers = np.zeros((len(tried[0]), len(labels)), np.int32)
    losses = np.zeros(answers.shape, np.float32)
    for of_fold, held_out in zip(tried, parts, strict=True):
        for place, probabilities in enumerate(of_fold.values()):
            answers[place, held_out] = decide(probabilities)
            losses[place, held_out] = losses_of(probabilities, labels[held_out])
    return Judged(np.array(list(tried[0]), np.float64), folds, answers, losses)


def repetition_folds(labels: Labels, judging: Judging, seed: int, repetition: int) -> Rows:
    """The fold of each image, the same for all methods: stratified; fewer folds where a class has fewer images."""
    return fold_numbers(labels, judging.folds, derive_seed(seed, f"repetition/{repetition}"))


def first_share(rows: Rows, labels: Labels, share: float) -> Rows:
    """Some of these rows, of each class about as large a share; a smaller share is part of a larger one."""
    if share == 1:
        return rows
    place = np.zeros(len(rows))
    for label in np.unique(labels):
        mine = labels == label
        place[mine] = (np.arange(mine.sum()) + 0.5) / mine.sum()
    return np.sort(rows[np.argsort(place, kind="stable")[: max(2, round(share * len(rows)))]])


def losses_of(probabilities: Probabilities, labels: Labels) -> NDArray[np.float32]:
    """Of each image, (images,)."""
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    of_truth = np.where(labels == 1, p, 1 - p) if p.ndim == 1 else p[np.arange(len(labels)), labels]
    return np.nan_to_num(-np.log(of_truth), nan=np.inf).astype(np.float32)


def _try(bench: Bench, judging: Judging, training: Rows, held_out: Rows) -> Iterator[tuple[Point, Probabilities]]:
    """What each point of the grid, trained on some images, answers to others."""
    method = bench.method
    if not method.trained:
        for penalty in judging.penalties.rates if method.head == "probe" else (0.0,):
            yield (penalty, 0), answer(bench.inputs[held_out], bench.head(training, penalty))
        return
    model = bench.start(training, judging.penalties)
    checkpoints = judging.grid.checkpoints(len(bench.labels) * bench.changes, method.training.batch_size)
    course = bench.course(training, held_out, checkpoints)
    for rate in judging.grid.rates:
        for reached in course.follow(model, rate).reached:
            assert reached.probabilities is not None
            yield (rate, reached.epochs), reached.probabilities
