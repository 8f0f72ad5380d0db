import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.experiment.results.convergence import convergence, falls_steadily, last_quarters_fall


def losses(*pairs: list[float]) -> np.ndarray:
    return np.array(pairs)


def test_the_last_quarter_by_hand() -> None:
    """Of eight epochs the last quarter is two: 0.5 and 0.3 after 0.9 and 0.7 is half."""
    pair = [9, 9, 9, 9, 0.9, 0.7, 0.5, 0.3]
    assert last_quarters_fall(losses(pair)) == pytest.approx(50)
    twice = [9, 9, 9, 9, 1.0, 1.0, 1.1, 1.1]
    assert last_quarters_fall(losses(pair, twice)) == pytest.approx((50 - 10) / 2)


def test_of_few_epochs_a_quarter_is_one_and_a_single_one_tells_nothing() -> None:
    assert last_quarters_fall(losses([7, 2, 1.5])) == pytest.approx(25)
    assert last_quarters_fall(losses([2, 1])) == pytest.approx(50)
    assert convergence({"scratch": losses([2.0])}, 0.001) == {
        "fall": {"scratch": None}, "still_falling": [], "learning_rate": None,
    }  # fmt: skip


def test_one_odd_pair_moves_nothing() -> None:
    flat, odd = [1.0] * 8, [9.0] * 6 + [0.1, 0.1]
    assert last_quarters_fall(losses(flat, odd, flat)) == 0


def test_arms_that_still_fall_are_named_and_a_half_decade_more_is_advised() -> None:
    falling, flat = losses([1.0, 0.9, 0.8, 0.7]), losses([1.0, 0.5, 0.5, 0.5])
    found = convergence({"scratch": falling, "transfer": flat}, 0.001)
    assert found["fall"] == {"scratch": pytest.approx(12.5), "transfer": 0}
    assert found["still_falling"] == ["scratch"]
    assert found["learning_rate"] == 0.003
    assert convergence({"scratch": falling}, 0.003)["learning_rate"] == 0.009
    assert convergence({"scratch": flat}, 0.001)["learning_rate"] is None


@pytest.mark.parametrize(
    ("last_half", "counts"),
    [
        ([1.00, 0.98, 0.96], True),  # 2 % in each epoch
        ([1.00, 0.98, 0.975], False),  # 0.5 %: negligible
        ([0.98, 1.00, 0.96], False),  # 4 %, but not steadily
        ([0.98, 1.00, 0.90], True),  # 10 %
        ([0.90, 0.95, 1.00], False),
    ],
)
def test_a_steady_fall_counts_from_1_percent_on_another_from_5(last_half: list[float], counts: bool) -> None:
    """Of four epochs the last half are two: what the second, third and fourth came to."""
    found = convergence({"scratch": losses([2.0, *last_half])}, 0.01)
    assert found["still_falling"] == (["scratch"] if counts else [])


def test_where_the_loss_goes_up_and_down_no_higher_rate_is_advised() -> None:
    unsteady = losses([2, 0.98, 1.00, 0.90])
    assert convergence({"scratch": unsteady}, 0.01)["learning_rate"] is None
    assert convergence({"scratch": unsteady, "transfer": losses([2, 1, 0.9, 0.8])}, 0.01)["learning_rate"] is None


@given(st.lists(st.floats(0.01, 9), min_size=2, max_size=40), st.floats(0.01, 100))
def test_the_unit_of_the_loss_plays_no_part(pair: list[float], unit: float) -> None:
    assert last_quarters_fall(losses(pair)) == pytest.approx(last_quarters_fall(unit * losses(pair)), abs=1e-6)


def test_only_the_last_half_must_fall() -> None:
    assert falls_steadily(losses([1, 2, 3, 2, 1, 0.5]))
    assert not falls_steadily(losses([1, 2, 2, 3, 1, 0.5]))
    assert falls_steadily(losses([3, 4, 2, 1], [3, 1, 2, 1]))  # 2.5, 2, 1: their mean
