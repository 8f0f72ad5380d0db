"""The benchmark's part of a recommendation: a whole one, and its loops of folds and rates against Keras' `fit`."""

import os
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np

from tests.benchmarks.effort import FOLDS, Effort
from tests.benchmarks.parts.processes import measured
from tests.benchmarks.rows import Row, in_turn, seconds

LABELS = 200


def recommendation(effort: Effort) -> list[Row]:
    """The default question, cold: 200 labels of 28 × 28, three baselines, one source with three ways to use it."""
    command = [sys.executable, "-m", "flows.recommend", *effort.question]
    with tempfile.TemporaryDirectory() as folder:
        whole, peak, _ = measured(command, HEADSTART_ARTIFACTS=folder)
    goal, note = (None, f"{' '.join(effort.question)}: not scaled") if effort.question else (180, "")
    return [
        Row(f"recommendation cold, {LABELS} labels", whole, goal=goal, note=note),
        Row("peak memory of the recommendation's process", peak, goal=2048, unit="MiB"),
    ]


def cross_validation(effort: Effort) -> list[Row]:
    """One repetition of five folds of a network from scratch with the quick grid: by `fit`, and as it is judged here.

    Both are asked for the held-out images' answers at each checkpoint. The networks are the same; a scaled part, for a
    recommendation tries three times as many rates, four times over.
    """
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, HEADSTART_ARTIFACTS=folder):
        fit, ours = _contestants(Path(folder), effort.fit_folds)
        found = in_turn(effort.rounds, fit=lambda: seconds(fit) * FOLDS / effort.fit_folds, ours=lambda: seconds(ours))
    what = f"cross-validation, {FOLDS} folds, 2 rates"
    theirs = Row(f"{what}: Keras fit", found["fit"])
    return [theirs, Row(what, found["ours"], "times faster", theirs, goal=10)]


def _contestants(folder: Path, fit_folds: int) -> tuple[Callable[[], object], Callable[[], object]]:
    import keras

    from tasks.experiment.data import fashion_mnist
    from tasks.experiment.data.pixels import Pixels, save_pixels
    from tasks.experiment.data.splits import task_examples
    from tasks.experiment.recommend.judging import judge, repetition_folds
    from tasks.experiment.recommend.making import Bench
    from tasks.experiment.recommend.methods import SCRATCH, methods
    from tasks.experiment.recommend.settings import Question

    question, data = Question(quick=True), fashion_mnist.data_set()
    numbers = data.labels("train")
    drawn = task_examples(numbers, (0, 2), 0, len(numbers))
    images, labels = data.images("train")[drawn.rows[:LABELS]], drawn.labels[:LABELS]
    pixels = save_pixels(Pixels(*(np.full((28, 28), value, np.float32) for value in (images.mean(), images.std()))))
    method = next(each for each in methods(pixels, question.training, [], ()) if each.name == SCRATCH)
    judging, batch = question.judging.model_copy(update={"folds": FOLDS}), method.training.batch_size
    checkpoints = judging.grid.checkpoints(LABELS, batch)
    x = ((images - images.mean()) / images.std()).astype(np.float32)
    folds = repetition_folds(labels, judging, 1, 0)

    untrained = Bench(method, images, labels, 2, 1).untrained()
    model = keras.Sequential([keras.Input((28, 28)), *keras.models.clone_model(untrained).layers[1:]])
    model.compile(keras.optimizers.SGD(), "binary_crossentropy")  # once, as a careful script would

    def fit() -> None:
        for fold in range(fit_folds):
            training, held_out = folds != fold, folds == fold
            for rate in judging.grid.rates:
                model.set_weights(untrained.get_weights()[-len(model.get_weights()) :])
                model.optimizer.learning_rate = rate
                for first, last in pairwise([0, *checkpoints]):
                    how = {"batch_size": batch, "initial_epoch": first, "epochs": last, "verbose": 0}
                    model.fit(x[training], labels[training], **how)
                    model.predict_on_batch(x[held_out])

    return fit, lambda: judge(Bench(method, images, labels, 2, 1), judging, 0)
