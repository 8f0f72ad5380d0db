import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tasks.experiment.data.pixels import Pixels
from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.architectures import build_network, hidden_layers, transfer_hidden_layers
from tasks.experiment.networks.program import compiled
from tasks.experiment.networks.recipe import Epoch, Network, Training
from tasks.experiment.networks.trainer import in_calls, train
from tasks.experiment.randomness import generator
from tests.support.processes import PATIENCE

TRAINING = Training(hidden_layers=2, hidden_units=16, learning_rate=0.05, batch_size=32, epochs=3)
PIXELS = Pixels(np.full((8, 8), 127, np.float32), np.full((8, 8), 74, np.float32))


def data(classes: int, samples: int = 203, n: int = 300) -> TrainingData:
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (n, 8, 8), np.uint8)
    labels = (images[:, :2].mean((1, 2)) > images[:, 2:4].mean((1, 2))).astype(np.int32)
    labels += rng.integers(0, classes // 2, n, np.int32) * 2
    rows = np.arange(n, dtype=np.int32)
    training, validation = Examples(rows[:samples], labels[:samples]), Examples(rows[203:], labels[203:])
    return TrainingData(images, training, validation, classes)


def run(
    model: Network, given: TrainingData, order: int = 1, frozen: tuple[str, ...] = (), **settings: Any
) -> list[Epoch]:
    training = TRAINING.model_copy(update=settings)
    return train(model, given, training, order=generator(order, "order"), frozen_layers=frozen)


@pytest.mark.parametrize(("classes", "samples", "epochs"), [(2, 203, 3), (8, 203, 3), (2, 45, 5)])
def test_weights_equal_keras_fit_on_the_same_batches(classes: int, samples: int, epochs: int) -> None:
    """203 examples: one epoch a call of the program; 45: several."""
    given = data(classes, samples)
    ours, theirs = (build_network(TRAINING, classes, PIXELS, seed=7) for _ in range(2))
    history = run(ours, given, epochs=epochs)

    loss = "binary_crossentropy" if classes == 2 else "sparse_categorical_crossentropy"
    theirs.compile(optimizer=keras.optimizers.SGD(0.05), loss=loss, metrics=["accuracy"])
    order = generator(1, "order")
    for epoch in history:
        shuffled = order.permutation(samples)
        fitted = theirs.fit(
            given.images[given.training.rows[shuffled]],
            given.training.labels[shuffled],
            batch_size=32,
            shuffle=False,
            verbose=0,
            validation_data=(given.images[given.validation.rows], given.validation.labels),
        ).history
        assert epoch.loss == pytest.approx(fitted["loss"][0], abs=1e-5)
        assert epoch.accuracy == pytest.approx(fitted["accuracy"][0], abs=1e-6)
        assert epoch.validation_loss == pytest.approx(fitted["val_loss"][0], abs=1e-5)
        assert epoch.validation_accuracy == pytest.approx(fitted["val_accuracy"][0], abs=1e-6)
    for mine, keras_own in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_own, atol=1e-5)


def test_frozen_layers_stay_and_the_rest_moves() -> None:
    given = data(2)
    model = build_network(TRAINING, 2, PIXELS, seed=7)
    names = tuple(layer.name for layer in hidden_layers(model))
    before = {layer.name: layer.get_weights() for layer in model.layers}
    run(model, given, frozen=names, frozen_epochs=3)
    for layer in model.layers:
        same = all(np.array_equal(a, b) for a, b in zip(before[layer.name], layer.get_weights(), strict=True))
        assert same == (layer.name != "head")
    run(model, given, frozen=names, epochs=4, frozen_epochs=3)
    assert not np.array_equal(before["hidden_1"][0], model.get_layer("hidden_1").get_weights()[0])


@pytest.mark.parametrize("network", ["mlp", "cnn"])  # compiled by XLA, and not
def test_judged_at_the_end_alone_the_weights_are_the_same(network: str) -> None:
    """Of 80 epochs, which are more than a call has room for, and has legs for."""
    settings = TRAINING.model_copy(update={"network": network, "epochs": 80, "frozen_epochs": 2})
    given, (often, once) = data(2), (build_network(settings, 2, PIXELS, seed=7) for _ in range(2))
    how = {"order": generator(1, "order"), "frozen_layers": (hidden_layers(often)[0].name,)}
    epochs = train(often, given, settings, **how)
    how["order"] = generator(1, "order")
    at_end = train(once, given, settings, **how, on_epoch=None)
    assert all(np.array_equal(a, b) for a, b in zip(often.get_weights(), once.get_weights(), strict=True))
    assert (at_end[0], at_end[-1]) == (epochs[1], epochs[-1])


def test_legs_are_cut_into_calls_and_none_is_lost() -> None:
    calls = list(in_calls((2, 3, 10, 11), at_once=4))
    assert calls == [([2, 1, 1], [2, 3, 4]), ([4], [8]), ([2, 1], [10, 11])]
    assert list(in_calls((5, 7), at_once=30, first=4)) == [([1, 2], [5, 7])]
    assert [len(legs) for legs, _ in in_calls(range(1, 71), at_once=100)] == [32, 32, 6]
    assert list(in_calls((), at_once=1)) == []


def test_transfer_copies_and_never_shares() -> None:
    given = data(2)
    source, target = (build_network(TRAINING, classes, PIXELS, seed=s) for classes, s in ((8, 1), (2, 2)))
    before = [w.copy() for w in source.get_weights()]
    transfer_hidden_layers(source, target)
    assert np.array_equal(source.get_layer("hidden_1").get_weights()[0], target.get_layer("hidden_1").get_weights()[0])
    run(target, given)
    assert all(np.array_equal(a, b) for a, b in zip(before, source.get_weights(), strict=True))


def test_same_seed_same_weights_bit_for_bit() -> None:
    given = data(8)
    first, second = (build_network(TRAINING, 8, PIXELS, seed=7) for _ in range(2))
    run(first, given)
    tf.random.set_seed(99)  # the global seed plays no part
    run(second, replace(given, images=tf.constant(given.images)))
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))
    run(second, given, order=2, epochs=1)
    assert not np.array_equal(first.get_weights()[0], second.get_weights()[0])


@pytest.mark.parametrize(("network", "epochs"), [("mlp", 60), ("cnn", 12)])
def test_beside_another_in_a_thread_gives_the_bits_that_it_gives_alone(network: str, epochs: int) -> None:
    """Two threads wait for each other before each epoch, so that they train it side by side."""
    given, training = data(8), TRAINING.model_copy(update={"network": network, "epochs": epochs})
    alone, beside, other = (build_network(training, 8, PIXELS, seed=seed) for seed in (7, 7, 8))
    run(alone, given, epochs=epochs)
    both = threading.Barrier(2, timeout=PATIENCE)

    def trained(model: Network) -> None:
        train(model, given, training, order=generator(1, "order"), on_epoch=lambda number, epoch: both.wait() and None)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(trained, (beside, other)))
    assert all(np.array_equal(a, b) for a, b in zip(alone.get_weights(), beside.get_weights(), strict=True))
    assert not np.array_equal(alone.get_weights()[0], other.get_weights()[0])


def test_convolutions_take_the_same_path() -> None:
    given = data(2)
    model = keras.Sequential(
        [
            keras.Input((8, 8), dtype="uint8"),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Reshape((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    history = run(model, given, epochs=5)
    assert history[-1].loss < history[0].loss


def test_divergence_names_the_epoch_and_the_remedy() -> None:
    given = data(2)
    model = build_network(TRAINING, 2, Pixels(np.zeros((8, 8), np.float32), np.full((8, 8), 1e-4, np.float32)), seed=7)
    with pytest.raises(DivergedError, match=r"in epoch \d.*lower learning_rate than 1e\+06"):
        run(model, given, learning_rate=1e6, epochs=20)


def test_one_program_for_every_seed_budget_and_freezing_even_for_threads() -> None:
    given = data(2)
    few = data(2, samples=40)
    models = [build_network(TRAINING, 2, PIXELS, seed=seed) for seed in range(4)]
    arguments = [(given, {}), (few, {}), (given, {"frozen_epochs": 2, "frozen": ("hidden_1",)}), (few, {"epochs": 40})]
    threads = [
        threading.Thread(target=run, args=(model, examples), kwargs=changes)
        for model, (examples, changes) in zip(models, arguments, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    programs = {id(compiled(model)) for model in models}
    assert len(programs) == 1
    assert compiled(models[0]).experimental_get_tracing_count() == 1
