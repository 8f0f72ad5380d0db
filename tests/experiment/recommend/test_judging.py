from pathlib import Path

import numpy as np
import pytest

from tasks.experiment.data.pixels import Pixels, save_pixels
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.recipe import Training
from tasks.experiment.networks.tuning.grid import Grid, Recipe
from tasks.experiment.recommend.augmentation import Augmentation
from tasks.experiment.recommend.judging import first_share, judge, losses_of, repetition_folds
from tasks.experiment.recommend.making import Bench, prior_head
from tasks.experiment.recommend.methods import LOGISTIC, MAJORITY, SCRATCH, Judging, methods
from tasks.experiment.scores import decide
from tasks.experiment.study.tuned.probe import answer
from tasks.storage.artifacts import Artifact

TRAINING = Training(hidden_layers=1, hidden_units=8, learning_rate=0.1, batch_size=16, epochs=1)
JUDGING = Judging(folds=4, grid=Grid(rates=(0.1,), steps=120, fewest_epochs=2), penalties=Grid(rates=(1.0, 100.0)))


def test_a_head_of_shares_gives_each_class_its_share_of_the_labels() -> None:
    labels = np.array([0, 0, 0, 1], np.int32)
    assert answer(np.ones((2, 5), np.float32), prior_head(labels, 2, 5)) == pytest.approx([0.25, 0.25])
    of_three = answer(np.ones((1, 5), np.float32), prior_head(np.array([0, 1, 1, 2], np.int32), 3, 5))
    assert of_three[0] == pytest.approx([0.25, 0.5, 0.25])


def test_a_smaller_share_is_part_of_a_larger_one_and_has_each_class() -> None:
    rows, labels = np.arange(50, 90), np.array([0] * 30 + [1] * 10, np.int32)
    quarter, half = (first_share(rows, labels, share) for share in (0.25, 0.5))
    assert set(quarter) < set(half) < set(rows)
    assert np.bincount(labels[half - 50]).tolist() == [15, 5]
    assert np.bincount(labels[quarter - 50]).tolist() in ([8, 2], [7, 3])
    assert first_share(rows, labels, 1) is rows


def test_losses_by_hand() -> None:
    labels = np.array([1, 0, 1], np.int32)
    losses = losses_of(np.array([0.5, 0.2, np.nan], np.float32), labels)
    assert losses.tolist() == pytest.approx([np.log(2), -np.log(0.8), np.inf])
    assert losses_of(np.array([[0.1, 0.9]], np.float32), labels[:1]) == pytest.approx(-np.log(0.9))


def test_a_class_with_few_images_makes_fewer_folds() -> None:
    labels = np.array([0] * 20 + [1] * 3, np.int32)
    folds = repetition_folds(labels, Judging(), seed=1, repetition=0)
    assert folds.max() + 1 == 3
    assert [np.sum(labels[folds == fold]) for fold in range(3)] == [1, 1, 1]
    assert (folds != repetition_folds(labels, Judging(), seed=1, repetition=1)).any()


@pytest.fixture
def benches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Bench]:
    """Of each baseline, on images whose labels tell nothing but in the first pixel of half of them."""
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    rng = np.random.default_rng(1)
    images, labels = rng.integers(0, 256, (64, 4, 4), np.uint8), np.arange(64, dtype=np.int32) % 2
    images[:, 0] = np.where(labels[:, None] == 1, 200, 50)
    pixels = save_pixels(Pixels(np.full((4, 4), 128, np.float32), np.full((4, 4), 70, np.float32)))
    return {each.name: Bench(each, images, labels, 2, seed=3) for each in methods(pixels, TRAINING, [], ())}


def test_baselines_learn_what_there_is_and_the_majority_does_not(benches: dict[str, Bench]) -> None:
    found = {name: judge(bench, JUDGING, repetition=0) for name, bench in benches.items()}
    right = {name: (each.answers == benches[name].labels).mean(1) for name, each in found.items()}
    assert right[MAJORITY].tolist() == [0.5]
    assert right[LOGISTIC].min() > 0.9
    assert right[SCRATCH][-1] > 0.8
    assert found[LOGISTIC].points.tolist() == [[1, 0], [100, 0]]
    assert found[SCRATCH].points[:, 0].tolist() == [np.float64(0.1)] * len(found[SCRATCH].points)
    assert all((each.folds == found[MAJORITY].folds).all() for each in found.values())


@pytest.mark.parametrize("name", [MAJORITY, LOGISTIC, SCRATCH])
def test_what_is_made_of_all_images_is_a_keras_model_of_raw_pixels(name: str, benches: dict[str, Bench]) -> None:
    bench = benches[name]
    model = bench.make(Recipe(learning_rate=0.1, epochs=10), JUDGING.penalties)
    assert model.input_shape == (None, 4, 4)
    answers = predict(model, bench.images)
    assert answers.shape == (64,)
    assert (decide(answers) == bench.labels).mean() >= (0.5 if name == MAJORITY else 0.9)


@pytest.mark.parametrize("augmentation", ["none", "flips"])
def test_no_image_is_answered_by_a_network_that_was_trained_on_it_or_on_a_copy(
    augmentation: Augmentation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels that tell nothing: what was trained on them knows them by heart, what was not is right by chance."""
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    noise = np.random.default_rng(6)
    left, labels = noise.integers(0, 256, (64, 8, 8), np.uint8), noise.permutation(np.arange(64, dtype=np.int32) % 2)
    symmetric = np.concatenate([left, left[:, :, ::-1]], axis=2)  # each copy is its image
    pixels = save_pixels(Pixels(np.full((8, 16), 128, np.float32), np.full((8, 16), 70, np.float32)))
    for method in methods(pixels, TRAINING, [], (), augmentation):
        if method.augmentation == augmentation and method.head != "prior":
            bench = Bench(method, symmetric, labels, 2, seed=3)
            right = (judge(bench, JUDGING, repetition=0).answers == labels).mean(1)
            assert (right > 0.3).all()
            assert (right < 0.7).all()


def test_with_copies_each_method_that_learns_is_there_twice() -> None:
    pixels = Artifact(path=f"store/normalize/{16 * '0'}", digest=64 * "0")
    names = [each.name for each in methods(pixels, TRAINING, [], (), "shifts")]
    assert names == [MAJORITY, LOGISTIC, f"{LOGISTIC}, with shifts", SCRATCH, f"{SCRATCH}, with shifts"]
