"""Two ways to train a large body on 400 photos of 96 × 96, each of which the benchmark starts as a process of its own.

`python -m tests.benchmarks.parts.contestants plain|ours MODEL EPOCHS` prints its figures as JSON. All seeds but the
last are trained unfrozen for one epoch only: the first is traced, the second tells what a first epoch costs. CPU
seconds are given too, which a loaded machine changes less.
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
Times = dict[str, tuple[float, float]]  # what: wall and CPU seconds


def photos() -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Noise around a colour for each class; the two target classes alone, of which the first ones are labelled."""
    rng = np.random.default_rng(1)
    labels = np.arange(PHOTOS, dtype=np.int32) % 4
    colours = rng.uniform(60, 190, (4, 1, 1, 3))[labels]
    images = np.clip(rng.normal(colours, 50, (PHOTOS, SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    return images[labels < 2], labels[labels < 2]


def epochs_of(seed: int, epochs: int) -> int:
    """For how many a network is trained unfrozen."""
    return epochs if seed == SEEDS - 1 else 1


class Clock:
    def __init__(self) -> None:
        self.times: Times = {}

    def time(self, what: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter(), time.process_time()
        result = work()
        self.times[what] = time.perf_counter() - start[0], time.process_time() - start[1]
        return result


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
        for part, given, count in ((alone, features, FROZEN_EPOCHS), (model, x, epochs_of(seed, epochs))):
            part.compile(keras.optimizers.SGD(1e-3), "binary_crossentropy", metrics=["accuracy"])
            run = {"batch_size": BATCH, "epochs": count, "verbose": 0, "validation_data": (given[n:], y[n:])}
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
        unfrozen = training.model_copy(update={"epochs": epochs_of(seed, epochs)})
        for what, how in (("frozen", frozen), ("unfrozen", unfrozen)):
            clock.time(
                f"{what} {seed}",
                lambda how=how, seed=seed: train_network(
                    BodyBlueprint(body), data, how, seed, task="B", body=Body(body)
                ),
            )
    return clock.times


if __name__ == "__main__":
    contestant, given, count = sys.argv[1:]
    print(json.dumps({"plain": plain, "ours": ours}[contestant](Path(given), int(count))))
