import math
from typing import Any

import numpy as np
import pytest

from tasks.experiment.data.pixels import Pixels
from tasks.experiment.data.splits import Examples, TrainingData
from tasks.experiment.networks.architectures import build_network, hidden_layers, transfer_hidden_layers
from tasks.experiment.networks.blueprints import PixelsBlueprint
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.program import compiled
from tasks.experiment.networks.recipe import Network, Training
from tasks.experiment.networks.train_network import lost_network
from tasks.experiment.networks.trainer import train
from tasks.experiment.networks.tuning.trajectory import Course, Labelled, set_weights
from tasks.experiment.randomness import generator
from tasks.experiment.scores import Metric, error_by

TRAINING = Training(hidden_layers=2, hidden_units=16, learning_rate=0.05, batch_size=32, epochs=3)
PIXELS = Pixels(np.full((8, 8), 127, np.float32), np.full((8, 8), 74, np.float32))


def labelled(classes: int = 2, n: int = 300) -> tuple[Labelled, Labelled]:
    """(203 images to train on, 97 that judge)."""
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (n, 8, 8), np.uint8)
    labels = (images[:, :2].mean((1, 2)) > images[:, 2:4].mean((1, 2))).astype(np.int32)
    labels += rng.integers(0, classes // 2, n, np.int32) * 2
    rows = np.arange(n, dtype=np.int32)
    return (Labelled(images, Examples(rows[:203], labels[:203])), Labelled(images, Examples(rows[203:], labels[203:])))


def course(*checkpoints: int, classes: int = 2, **asked: Any) -> Course:
    return Course(*labelled(classes), checkpoints, 32, generator(1, "order"), **asked)


def network(classes: int = 2, seed: int = 7, **changes: Any) -> Network:
    return build_network(TRAINING.model_copy(update=changes), classes, PIXELS, seed)


@pytest.mark.parametrize(("classes", "kind", "last"), [(2, "mlp", 80), (4, "mlp", 6), (2, "cnn", 6)])
def test_at_each_checkpoint_it_is_the_network_that_so_many_epochs_give(classes: int, kind: str, last: int) -> None:
    """80 epochs have more batches than a call of the program has room for."""
    training, judged = labelled(classes)
    data = TrainingData(training.images, training.examples, judged.examples, classes)
    model = network(classes, network=kind)
    reached = course(1, 2, 5, last, classes=classes).follow(model, 0.05).reached
    assert [checkpoint.epochs for checkpoint in reached] == [1, 2, 5, last]
    for checkpoint in reached:
        trained = network(classes, network=kind)
        settings = TRAINING.model_copy(update={"epochs": checkpoint.epochs})
        epoch = train(trained, data, settings, order=generator(1, "order"))[-1]
        assert checkpoint.steps == 7 * checkpoint.epochs
        assert checkpoint.error == pytest.approx(1 - epoch.validation_accuracy, abs=1e-6)
        assert checkpoint.loss == pytest.approx(epoch.validation_loss, abs=1e-5)
        kept = course(1, 2, 5, last, classes=classes, keep=checkpoint.epochs).follow(model, 0.05)
        assert kept.reached == reached
        for mine, theirs in zip(kept.weights, trained.trainable_variables, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5)


@pytest.mark.parametrize(("classes", "metric"), [(2, "balanced_accuracy"), (2, "roc_auc"), (4, "roc_auc")])
def test_errors_are_by_the_metric_of_what_the_network_at_a_checkpoint_answers(classes: int, metric: Metric) -> None:
    judged, model = labelled(classes)[1], network(classes)
    images, labels = judged.images[judged.examples.rows], judged.examples.labels
    trained = network(classes)
    for checkpoint in course(1, 3, classes=classes, metric=metric).follow(model, 0.05).reached:
        kept = course(1, 3, classes=classes, metric=metric, keep=checkpoint.epochs).follow(model, 0.05)
        set_weights(trained, kept.weights)
        assert checkpoint.error == pytest.approx(error_by(metric, predict(trained, images), labels), abs=1e-6)
    (lost,) = course(40, classes=classes, metric=metric).follow(network(classes), 1e30).reached
    assert lost.error == pytest.approx(0.5)


@pytest.mark.parametrize("classes", [2, 4])
def test_answers_are_those_of_the_network_at_each_checkpoint(classes: int) -> None:
    judged, model, trained = labelled(classes)[1], network(classes), network(classes)
    without = course(1, 3, classes=classes).follow(model, 0.05)
    assert [each.probabilities for each in without.reached] == [None, None]
    trajectory = course(1, 3, classes=classes, answers=True).follow(model, 0.05)
    assert [each.error for each in trajectory.reached] == [each.error for each in without.reached]
    set_weights(trained, trajectory.weights)
    expected = predict(trained, judged.images[judged.examples.rows])
    np.testing.assert_allclose(trajectory.reached[-1].probabilities, expected, atol=1e-5)
    assert not np.allclose(trajectory.reached[0].probabilities, expected, atol=1e-3)


def test_the_model_stays_as_it_is_until_it_is_given_the_weights() -> None:
    model = network()
    before = [np.array(v) for v in model.trainable_variables]
    weights = course(2).follow(model, 0.1).weights
    for a, b in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b)
    set_weights(model, weights)
    for a, b in zip(weights, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_hidden_layers_are_frozen_for_the_first_epochs_only() -> None:
    model = network()
    paths = [v.path for v in model.trainable_variables]
    start = [np.array(v) for v in model.trainable_variables]
    hidden = {v.path for layer in hidden_layers(model) for v in layer.trainable_variables}
    frozen = course(2, 3).follow(model, 0.1, 3).weights
    same = {path for path, a, b in zip(paths, start, frozen, strict=True) if np.array_equal(a, b)}
    assert same == hidden
    partly, freely = (course(2, 3).follow(model, 0.1, frozen).weights for frozen in (2, 0))
    assert not any(np.array_equal(a, b) for a, b in zip(partly, start, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(partly, freely, strict=True))


def test_from_where_it_diverges_it_answers_the_first_class() -> None:
    reached = course(1, 2, 30, 40).follow(network(), 1e30).reached
    judged = labelled()[1].examples.labels
    assert [c.epochs for c in reached] == [1, 2, 30, 40]
    assert reached[-1].loss == math.inf
    assert reached[-1].diverged
    assert reached[-1].error == np.mean(judged == 1)


def test_the_first_rate_that_does_not_diverge_is_taken() -> None:
    own = course(1, 2)
    assert own.follow(network(), 1e30).reached[-1].diverged
    sound = own.follow_soundly(network(), iter([1e30, 0.05, 0.01]))
    assert sound.learning_rate == 0.05
    assert sound.reached == own.follow(network(), 0.05).reached
    lost = own.follow_soundly(network(), [1e30, 1e29])
    assert lost.learning_rate == 1e29
    assert lost.reached[-1].diverged


def test_what_starts_from_a_lost_network_is_lost() -> None:
    model = network()
    transfer_hidden_layers(lost_network(PixelsBlueprint(PIXELS), TRAINING, 4, seed=7), model)
    assert all(each.diverged for each in course(1, 2).follow(model, 0.01).reached)


def test_one_program_for_every_rate_start_and_number_of_epochs() -> None:
    for seed, rate, checkpoints in ((1, 0.1, (1, 2)), (2, 0.001, (3,)), (3, 1.0, (1, 90))):
        course(*checkpoints).follow(network(seed=seed), rate)
    assert compiled(network()).experimental_get_tracing_count() == 1


def test_trajectories_of_one_course_do_not_depend_on_each_other() -> None:
    shared, model = course(1, 4), network()
    shared.follow(model, 1.0)
    again, alone = shared.follow(model, 0.1), course(1, 4).follow(model, 0.1)
    assert again.reached == alone.reached
    for a, b in zip(again.weights, alone.weights, strict=True):
        np.testing.assert_array_equal(a, b)
