import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.experiment.data.splits import first_samples, shuffled, task_examples
from tasks.experiment.randomness import generator

labels_strategy = st.lists(st.integers(0, 9), min_size=1, max_size=200).map(lambda v: np.array(v, np.uint8))


def test_hand_computed() -> None:
    labels = np.array([2, 0, 5, 1, 2, 0, 9], np.uint8)
    target = task_examples(labels, (0, 2), 0, 6)
    assert target.rows.tolist() == [0, 1, 4, 5]
    assert target.labels.tolist() == [1, 0, 1, 0]
    source = task_examples(labels, (1, 3, 4, 5, 6, 7, 8, 9), 2, 7)
    assert source.rows.tolist() == [2, 3, 6]
    assert source.labels.tolist() == [3, 0, 7]


@given(labels_strategy, st.permutations(range(10)), st.integers(0, 200))
def test_tasks_partition_the_images(labels: np.ndarray, classes: list[int], cut: int) -> None:
    source, target = tuple(sorted(classes[2:])), tuple(classes[:2])
    parts = [task_examples(labels, task, *span) for task in (source, target) for span in ((0, cut), (cut, len(labels)))]
    assert sorted(np.concatenate([part.rows for part in parts])) == list(range(len(labels)))
    for part, task in zip(parts, (source, source, target, target), strict=True):
        assert np.array(task)[part.labels].tolist() == labels[part.rows].tolist()
        assert np.all(np.diff(part.rows) > 0)


@given(labels_strategy, st.integers(1, 120), st.booleans())
def test_samples_are_the_first_ones_or_refused(labels: np.ndarray, samples: int, balanced: bool) -> None:
    examples = task_examples(labels, (0, 2), 0, len(labels))
    counts = np.bincount(examples.labels, minlength=2)
    counts = counts[counts > 0] if counts.any() else counts
    enough = counts.min() >= samples if balanced else len(examples) >= samples
    if not enough:
        with pytest.raises(ValueError, match="target_samples"):
            first_samples(examples, samples, balanced=balanced)
        return
    subset = first_samples(examples, samples, balanced=balanced)
    if balanced:
        assert set(np.bincount(subset.labels)) <= {0, samples}
        for label in (0, 1):
            assert (
                subset.rows[subset.labels == label].tolist()
                == examples.rows[examples.labels == label][:samples].tolist()
            )
    else:
        assert subset.rows.tolist() == examples.rows[:samples].tolist()


def test_too_many_samples_names_how_many_there_are() -> None:
    examples = task_examples(np.array([0, 2, 0], np.uint8), (0, 2), 0, 3)
    with pytest.raises(ValueError, match="has 3 training images: give 3 at most"):
        first_samples(examples, 4, balanced=False)
    with pytest.raises(ValueError, match="has 1 training images of each class"):
        first_samples(examples, 2, balanced=True)


@given(st.lists(st.sampled_from([0, 2, 5]), min_size=80, max_size=200), st.integers(0, 2**31))
def test_a_seeds_images_are_the_pools_and_a_smaller_budget_is_part_of_a_larger(numbers: list[int], seed: int) -> None:
    labels = np.array([0, 2] * 10 + numbers, np.uint8)
    examples = task_examples(labels, (0, 2), 0, len(labels))
    pool = shuffled(examples, generator(seed, "sample/B"))
    assert sorted(pool.rows) == sorted(examples.rows)
    assert [labels[r] == 2 for r in pool.rows] == [label == 1 for label in pool.labels]
    few, many = (set(first_samples(pool, n, balanced=True).rows) for n in (5, 10))
    assert few < many


def test_seeds_draw_different_images() -> None:
    examples = task_examples(np.resize([0, 2], 1000).astype(np.uint8), (0, 2), 0, 1000)
    drawn = [frozenset(shuffled(examples, generator(seed, "sample/B")).rows[:200]) for seed in range(5)]
    assert len(set(drawn)) == 5
