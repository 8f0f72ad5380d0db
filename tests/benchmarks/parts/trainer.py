"""The benchmark's part of the trainer: an epoch of A, and a pair of B."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tests.benchmarks.parts.peers import installed_peers, peer_rows
from tests.benchmarks.parts.processes import Script
from tests.benchmarks.rows import Row, in_turn, seconds

CORES = os.cpu_count() or 1


class SourceTask:
    """Task A on the real data, as arrays and as models."""

    def __init__(self) -> None:
        import tensorflow as tf

        from tasks.experiment.data import fashion_mnist, mirrors
        from tasks.experiment.data.pixels import Pixels
        from tasks.experiment.data.splits import TrainingData, first_samples, task_examples
        from tasks.experiment.networks.trainer import set_threads
        from tasks.experiment.settings import Experiment

        set_threads()
        mirrors.fetch()
        data = fashion_mnist.data_set()
        labels, images = data.labels("train"), data.images("train")
        classes = (1, 3, 4, 5, 6, 7, 8, 9)
        train, valid = task_examples(labels, classes, 0, 55_000), task_examples(labels, classes, 55_000, 60_000)
        self.data = TrainingData(images, train, valid, classes=8)
        target = first_samples(task_examples(labels, (0, 2), 0, 55_000), 200, balanced=False)
        target_valid = task_examples(labels, (0, 2), 55_000, 60_000)
        self.target = TrainingData(tf.constant(images), target, target_valid, classes=2)
        used = images[:55_000]
        self.pixels = Pixels(used.mean(0).astype(np.float32), used.std(0).astype(np.float32))
        self.experiment = Experiment()
        # float32, which is kinder to `fit` than the notebook's float64
        scaled = (images - self.pixels.mean) / self.pixels.std
        self.x, self.y = scaled[train.rows], train.labels
        self.x_valid, self.y_valid = scaled[valid.rows], valid.labels

    def network(self, classes: int = 8, seed: int = 1) -> Any:
        from tasks.experiment.networks.architectures import build_network

        return build_network(self.experiment.source_training, classes, self.pixels, seed)

    def train_with_trainer(self, model: Any, epochs: int = 1, seed: int = 1) -> list[Any]:
        from tasks.experiment.networks.trainer import train
        from tasks.experiment.randomness import generator

        training = self.experiment.source_training.model_copy(update={"epochs": epochs})
        return train(model, self.data, training, order=generator(seed, "bench"))

    def plain_model(self) -> Any:
        """The notebook's model of task A, compiled, for scaled pixels; the same initial weights as network()."""
        import keras

        layers = self.network().layers
        model = keras.Sequential([keras.Input((28, 28)), *layers[1:]])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.optimizer.learning_rate = 1e-3
        return model


def epoch_of_a(task: SourceTask, rounds: int) -> tuple[list[Row], Row]:
    """One epoch of A with its validation: `fit`, the trainer alone, and as many trainers as cores side by side.

    And by peers, without its validation. Also the row of the trainers side by side alone.
    """
    plain, alone, several = task.plain_model(), task.network(), [task.network() for _ in range(CORES)]
    last: dict[str, float] = {}

    def fit() -> None:
        done = plain.fit(task.x, task.y, batch_size=32, verbose=0, validation_data=(task.x_valid, task.y_valid))
        last["fit"] = done.history["val_loss"][-1]

    def side_by_side(epochs: int) -> None:
        threads = [threading.Thread(target=task.train_with_trainer, args=(model, epochs)) for model in several]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def trainer(epochs: int = 5) -> float:
        taken = seconds(lambda: last.update(trainer=task.train_with_trainer(alone, epochs)[-1].validation_loss))
        return taken / epochs

    took = in_turn(
        rounds,
        fit=lambda: seconds(fit),
        trainer=trainer,
        several=lambda: seconds(lambda: side_by_side(5)) / 5 / CORES,
        **installed_peers(task.x, task.y),
    )
    fresh = task.network()
    same_epochs = task.train_with_trainer(fresh, rounds + 1)[-1].validation_loss
    assert abs(same_epochs - last["fit"]) < 0.05, "the compared runs must reach the same loss"
    keras = Row("epoch of A: Keras fit", took["fit"])
    one = Row("epoch of A: trainer, one replicate", took["trainer"], "times faster", keras, goal=7)
    what = f"epoch of A per replicate: trainer, {CORES} side by side"
    together = Row(what, took["several"], "times faster", keras, goal=12)
    return [keras, one, together, *peer_rows(took, [one, together])], together


def target_pair(task: SourceTask, script: Script, pairs: int = 30) -> list[Row]:
    """One pair of B: the notebook's way, against what one more pair costs the trainer at 30 pairs on all cores.

    In a study networks are not judged after each epoch, as the notebook's are, but at the end.
    """
    from tasks.experiment.networks.blueprints import PixelsBlueprint
    from tasks.experiment.networks.recipe import Epoch, OnEpoch
    from tasks.experiment.networks.train_network import Beginning, Body, train_from

    source, experiment = Body(task.network()), task.experiment

    def pair(seed: int, on_epoch: OnEpoch | None) -> None:
        beginning = Beginning(PixelsBlueprint(task.pixels), experiment.scratch_training, 2, seed)
        for training, body in ((experiment.scratch_training, Body(None)), (experiment.transfer_training, source)):
            train_from(beginning.network(body), task.target, training, seed, task="B", on_epoch=on_epoch)

    def judged(number: int, epoch: Epoch) -> None:
        pass

    def marginal(on_epoch: OnEpoch | None) -> float:
        pair(0, on_epoch)
        with ThreadPoolExecutor(CORES) as pool:
            return seconds(lambda: list(pool.map(lambda seed: pair(seed, on_epoch), range(pairs)))) / pairs

    notebook = Row("pair of B: the notebook's compile + fit", script["B"])
    rows = [notebook]
    for how, on_epoch in (("trainer", judged), ("trainer, as in a study", None)):
        what = f"pair of B: {how}, marginal at {pairs} pairs"
        rows.append(Row(what, marginal(on_epoch), "times faster", notebook, goal=100))
    return rows
