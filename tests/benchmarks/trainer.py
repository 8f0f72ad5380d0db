"""The benchmark's part of the trainer: an epoch of A, a pair of B, and how near they come to the machine's peak."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tests.benchmarks.rows import Row, found, in_turn, seconds

CORES = os.cpu_count() or 1
FIT = "epoch of A: Keras fit"
ALONE = "epoch of A: trainer, one replicate"
SIDE_BY_SIDE = f"epoch of A per replicate: trainer, {CORES} side by side"


class SourceTask:
    """Task A on the real data, as arrays and as models."""

    def __init__(self) -> None:
        import tensorflow as tf

        from tasks.experiment.data import fashion_mnist, mirrors
        from tasks.experiment.data.pixels import Pixels
        from tasks.experiment.data.splits import TrainingData, first_samples, task_examples
        from tasks.experiment.settings import Experiment

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


def epoch_of_a(task: SourceTask, rounds: int) -> list[Row]:
    """One epoch of A with its validation: `fit`, the trainer alone, and as many trainers as cores side by side."""
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

    figures = in_turn(
        rounds,
        fit=lambda: seconds(fit),
        trainer=trainer,
        several=lambda: seconds(lambda: side_by_side(5)) / 5 / CORES,
    )
    fresh = task.network()
    same_epochs = task.train_with_trainer(fresh, rounds + 1)[-1].validation_loss
    assert abs(same_epochs - last["fit"]) < 0.05, "the compared runs must reach the same loss"
    return [
        {"what": FIT, "seconds": figures["fit"]},
        {"what": ALONE, "seconds": figures["trainer"],
         "against": "Keras fit", "times faster": figures["fit"] / figures["trainer"], "goal": 7},
        {"what": SIDE_BY_SIDE, "seconds": figures["several"],
         "against": "Keras fit", "times faster": figures["fit"] / figures["several"], "goal": 12},
    ]  # fmt: skip


def target_pair(task: SourceTask, notebook: Row, pairs: int = 30) -> list[Row]:
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

    theirs = notebook["seconds"]["B"]
    ours = {"trainer": marginal(judged), "trainer, as in a study": marginal(None)}
    return [
        {"what": "pair of B: the notebook's compile + fit", "seconds": theirs},
        *(
            {"what": f"pair of B: {how}, marginal at {pairs} pairs", "seconds": taken,
             "against": "the notebook", "times faster": theirs / taken, "goal": 100}
            for how, taken in ours.items()
        ),
    ]  # fmt: skip


def roofline(task: SourceTask, epochs: list[Row]) -> list[Row]:
    """Float32 GEMM peak of all cores (NumPy's BLAS, 2048³), and the side-by-side trainer's fraction of it."""
    script = (
        "import numpy as np, time\n"
        "a = np.ones((2048, 2048), np.float32); a @ a; best = 9e9\n"
        "for _ in range(10):\n t = time.perf_counter(); a @ a; best = min(best, time.perf_counter() - t)\n"
        "print(2 * 2048**3 / best)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    peak = float(
        subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True).stdout
    )
    kernels = [784 * 100, 100 * 100, 100 * 100, 100 * 8]
    # Forward and weight gradients for every layer, input gradients for all but the first: 2 FLOP a weight each.
    flop = len(task.data.training) * 2 * (3 * sum(kernels) - kernels[0])
    rate = flop / found(epochs, SIDE_BY_SIDE)["seconds"]
    return [
        {"what": f"float32 GEMM peak, {CORES} cores, GFLOP/s", "value": peak / 1e9},
        {"what": "trainer side by side, GFLOP/s", "value": rate / 1e9, "fraction": rate / peak, "goal": 0.4},
    ]
