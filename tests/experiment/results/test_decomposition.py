from itertools import pairwise

import numpy as np
import pytest

from tasks.experiment.results.decomposition import decompose, fixed_sequence
from tasks.experiment.results.statistics.intervals import ratio_interval
from tasks.experiment.results.statistics.verdicts import difference_p
from tests.support.studies import covered
from tests.support.tuned_worlds import CHAIN, LABELS_MATTER, SAME, SCALE_MATTERS, World, errors_of


def test_by_hand() -> None:
    """Mean errors of 10, 7, 6 and 2 %: 3 points by scale, 1 by inputs, 4 by labels, of 8."""
    bits = np.array([-0.01, 0, 0.01])
    errors = {"S*": 0.1 + bits, "STAT*": 0.07 - bits, "RLAB*": 0.06 + bits / 2, "T*": np.full(3, 0.02)}
    found = decompose(errors, CHAIN)
    assert [part["part"] for part in found["parts"]] == ["scale", "inputs", "labels"]
    assert [part["points"]["estimate"] for part in found["parts"]] == pytest.approx([3, 1, 4])
    assert found["total"]["points"]["estimate"] == pytest.approx(8)
    scale, inputs, labels = (part["share"] for part in found["parts"])
    assert (scale["estimate"], inputs["estimate"]) == pytest.approx((37.5, 12.5))
    assert labels is None  # half of the total in each seed: nobody knows how much that varies


def test_parts_add_up_exactly_and_shares_to_100() -> None:
    rng = np.random.default_rng(3)
    found = decompose({arm: errors_of(rng, LABELS_MATTER, arm, (29,)) for arm in CHAIN}, CHAIN)
    total = sum(part["points"]["estimate"] for part in found["parts"])
    assert total == pytest.approx(found["total"]["points"]["estimate"], abs=1e-12)
    assert sum(part["share"]["estimate"] for part in found["parts"]) == pytest.approx(100)


def test_no_shares_of_a_total_that_may_be_zero() -> None:
    rng = np.random.default_rng(3)
    found = decompose({arm: errors_of(rng, SAME, arm, (29,)) for arm in CHAIN}, CHAIN)
    assert found["total"]["points"]["low"] < 0 < found["total"]["points"]["high"]
    assert [part["share"] for part in found["parts"]] == [None] * 3


def test_what_a_missing_arm_would_have_told_apart_is_one_part() -> None:
    rng = np.random.default_rng(3)
    errors = {arm: errors_of(rng, LABELS_MATTER, arm, (9,)) for arm in CHAIN if arm != "RLAB*"}
    found = decompose(errors, CHAIN)
    assert [(part["part"], part["before"], part["after"]) for part in found["parts"]] == [
        ("scale", "S*", "STAT*"),
        ("inputs and labels", "STAT*", "T*"),
    ]
    assert [step["before"] for step in fixed_sequence(errors, CHAIN)] == ["S*", "STAT*"]


def test_another_arm_of_the_chain_is_another_part_and_another_test() -> None:
    rng = np.random.default_rng(3)
    longer = {"S*": "", "STAT*": "scale", "NEW*": "more", "RLAB*": "inputs", "T*": "labels"}
    world = LABELS_MATTER | {"NEW*": 3.5}
    errors = {arm: errors_of(rng, world, arm, (29,)) for arm in longer}
    found = decompose(errors, longer)
    assert [part["part"] for part in found["parts"]] == ["scale", "more", "inputs", "labels"]
    total = sum(part["points"]["estimate"] for part in found["parts"])
    assert total == pytest.approx(found["total"]["points"]["estimate"], abs=1e-12)
    assert [step["before"] for step in fixed_sequence(errors, longer)] == ["S*", "STAT*", "NEW*", "RLAB*"]


def test_the_sequence_ends_where_a_test_claims_no_gain() -> None:
    bits = np.linspace(-0.005, 0.005, 9)
    alike = {"S*": 0.05 + bits, "STAT*": 0.02 + bits[::-1], "RLAB*": 0.05 - bits, "T*": 0.02 + np.roll(bits, 3)}
    steps = fixed_sequence(alike, CHAIN)
    assert [(step["reached"], step["verdict"]) for step in steps] == [
        (True, "helps"),
        (True, "can't tell"),
        (False, "can't tell"),  # it would say "helps" by itself
    ]
    assert steps[2]["p"] < 0.01


def drawn(world: World, *shape: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {arm: errors_of(rng, world, arm, shape) for arm in CHAIN}


def claimed(world: World, studies: int = 30) -> list[float]:
    """How often the three tests of the sequence, in order, say "helps"."""
    errors = drawn(world, studies, 29)
    all_steps = [fixed_sequence({arm: each[n] for arm, each in errors.items()}, CHAIN) for n in range(studies)]
    return np.mean([[step["verdict"] == "helps" for step in steps] for steps in all_steps], axis=0).tolist()


def test_where_all_arms_converge_to_the_same_a_gain_is_claimed_in_2_and_a_half_percent_of_studies() -> None:
    errors = drawn(SAME, 4000, 29)
    better = errors["T*"].mean(-1) < errors["S*"].mean(-1)
    rate = np.mean(better & (difference_p(errors["S*"], errors["T*"]) <= 0.05))
    assert rate == pytest.approx(0.025, abs=0.0075)  # three standard deviations
    first, second, third = claimed(SAME)
    assert third <= second <= first <= 0.1


def test_where_only_scale_matters_the_sequence_stops_after_its_first_test() -> None:
    first, second, third = claimed(SCALE_MATTERS)
    assert first > 0.95
    assert third <= second <= 0.1


def test_where_labels_matter_the_whole_sequence_says_so() -> None:
    assert claimed(LABELS_MATTER)[2] > 0.95


@pytest.mark.parametrize(("world", "truth"), [(SCALE_MATTERS, (100, 0, 0)), (LABELS_MATTER, (0, 0, 100))])
def test_a_gain_is_attributed_to_the_part_that_makes_it(world: World, truth: tuple[float, ...]) -> None:
    errors = drawn(world, 1000, 29)
    total = errors["S*"] - errors["T*"]
    for (before, after), share in zip(pairwise(CHAIN), truth, strict=True):
        low, high = ratio_interval(total, errors[before] - errors[after])  # as `decompose` does
        assert 0.93 <= covered(low, high, share / 100) <= 0.97
    one = decompose({arm: each[0] for arm, each in errors.items()}, CHAIN)
    assert np.argmax([part["share"]["estimate"] for part in one["parts"]]) == np.argmax(truth)
