"""Two ways to train a large body on 400 photos of 96 × 96, each of which the benchmark starts as a process of its own.

`python -m tests.benchmarks.parts.contestants plain|ours MODEL EPOCHS` prints its figures as JSON. Only the last seed is
trained unfrozen for so many epochs; the first one for a single epoch, as it is traced. CPU seconds are given too, which
a loaded machine changes less.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE, PHOTOS, LABELLED, BATCH, FROZEN_EPOCHS, SEEDS = 96, 400, 100, 32, 4, 3
Times = dict[str, tuple[float, ...]]  # what: wall and CPU seconds
UNFROZEN = (0, SEEDS - 1)  # the seeds that are trained unfrozen too


def photos() -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Noise around a colour for each class; the two target classes alone, of which the first ones are labelled."""
    rng = np.random.default_rng(1)
    labels = np.arange(PHOTOS, dtype=np.int32) % 4
    colours = rng.uniform(60, 190, (4, 1, 1, 3))[labels]
    images = np.clip(rng.normal(colours, 50, (PHOTOS, SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    return images[labels < 2], labels[labels < 2]


class Clock:
    """What pieces of work take, and what an epoch of each takes after its first one."""

    def __init__(self) -> None:
        self.times: Times = {}
        self.epochs: list[NDArray[np.float64]] = []

    def end_epoch(self, *_: Any) -> None:
        self.epochs.append(now())

    def time(self, what: str, work: Callable[[], Any]) -> Any:
        start, self.epochs = now(), []
        result = work()
        self.times[what] = tuple(now() - start)
        if len(self.epochs) > 1:
            self.times[f"later epoch {what}"] = tuple((self.epochs[-1] - self.epochs[0]) / (len(self.epochs) - 1))
        return result


def now() -> NDArray[np.float64]:
    """Wall and CPU seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def plain(model_file: Path, epochs: int) -> Times:
    """As Keras' guide has it: features once, a head on them, then all layers by `fit`; validated after each epoch."""
    import keras

    x, y = photos()
    clock = Clock()
    whole = keras.saving.load_model(model_file)
    body = keras.Model(whole.inputs[0], whole.layers[-2].output)
    features = clock.time("features", lambda: body.predict(x, verbose=0))
    n = LABELLED
    for seed in range(SEEDS):
        keras.utils.set_random_seed(seed)
        body = keras.models.clone_model(body)
        images = keras.Input((SIDE, SIDE, 3))
        head = keras.layers.Dense(1, activation="sigmoid")
        alone = keras.Sequential([keras.Input(features.shape[1:]), head])
        model = keras.Model(images, head(body(images, training=False)))
        for part, given, count in ((alone, features, FROZEN_EPOCHS), (model, x, epochs if seed else 1)):
            if part is model and seed not in UNFROZEN:
                continue
            part.compile(keras.optimizers.SGD(1e-3), "binary_crossentropy", metrics=["accuracy"])
            run = {"batch_size": BATCH, "epochs": count, "verbose": 0, "validation_data": (given[n:], y[n:])}
            run["callbacks"] = [keras.callbacks.LambdaCallback(on_epoch_end=clock.end_epoch)]
            what = f"{'frozen' if part is alone else 'unfrozen'} {seed}"
            clock.time(what, lambda part=part, given=given, run=run: part.fit(given[:n], y[:n], **run))
    return clock.times


def ours(model_file: Path, epochs: int) -> Times:
    from tasks.experiment.data.splits import Examples, TrainingData
    from tasks.experiment.networks.blueprints import BodyBlueprint
    from tasks.experiment.networks.bodies.body import make_body, open_model
    from tasks.experiment.networks.recipe import Training
    from tasks.experiment.networks.train_network import Body, train_network
    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    x, y = photos()
    clock, rows = Clock(), np.arange(len(x), dtype=np.int32)
    labelled, others = (Examples(rows[part], y[part]) for part in (slice(0, LABELLED), slice(LABELLED, None)))
    data = TrainingData(x, labelled, others, classes=2)
    body = make_body(*open_model(model_file, x.shape[1:], None)[:1], str(model_file), None, x.shape[1:])
    training = Training(hidden_layers=1, hidden_units=1, learning_rate=1e-3, batch_size=BATCH, epochs=FROZEN_EPOCHS)
    frozen = training.model_copy(update={"frozen_epochs": FROZEN_EPOCHS})
    for seed in range(SEEDS):
        unfrozen = training.model_copy(update={"epochs": epochs if seed else 1})
        for what, how in (("frozen", frozen), ("unfrozen", unfrozen)):
            if how is unfrozen and seed not in UNFROZEN:
                continue
            clock.time(
                f"{what} {seed}",
                lambda how=how, seed=seed: train_network(
                    BodyBlueprint(body), data, how, seed, task="B", body=Body(body), on_epoch=clock.end_epoch
                ),
            )
    return clock.times


if __name__ == "__main__":
    contestant, given, count = sys.argv[1:]
    print(json.dumps({"plain": plain, "ours": ours}[contestant](Path(given), int(count))))
