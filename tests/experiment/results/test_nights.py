import numpy as np
import pytest
from scipy.stats import t

from tasks.experiment.results.nights import LEVEL, Night, changes, expected_range, judge
from tests.support.procedures import nights_outside, same_seeds
from tests.support.studies import WORLDS

HISTORIES = 80, 200, 5  # histories, nights, pairs
MADE_WITH = {"keras": "3.14", "python": "3.11", "tasks.experiment.networks.trainer": "aa"}
SCRATCH = [0.10, 0.11, 0.09, 0.10]


def a_night(
    run: str = "monday", estimate: float = 25.0, weights: str = "w", chance: float = 0, **made_with: str
) -> Night:
    """A night of four pairs with this error reduction; `chance` moves the pairs' transfer errors up and down."""
    moved = [1 + chance, 1 - chance, 1 + chance, 1 - chance]
    transfer = [error * (1 - estimate / 100) * move for error, move in zip(SCRATCH, moved, strict=True)]
    return Night(
        run=run, date="2026-01-01", estimate=estimate, low=None, high=None, scratch=SCRATCH, transfer=transfer,
        weights=[{"A": weights}], made_with=MADE_WITH | made_with,
    )  # fmt: skip


def test_the_first_night_has_nothing_to_compare_with() -> None:
    verdict = judge(a_night(), [])
    assert verdict.name == "First"
    assert "no earlier night" in verdict.reason


def test_the_same_weights_are_reproduced_whatever_else_changed() -> None:
    verdict = judge(a_night(keras="3.15"), [a_night("sunday"), a_night("monday")])
    assert verdict == judge(a_night(), [a_night("sunday"), a_night("monday")])
    assert verdict.name == "Reproduced"
    assert "monday" in verdict.reason


def test_other_weights_inside_the_expected_range_drifted_and_what_changed_is_named() -> None:
    tonight = a_night(estimate=30.0, weights="v", keras="3.15", **{"tasks.experiment.networks.trainer": "bb"})
    verdict = judge(tonight, [a_night()])
    assert verdict.name == "Drifted"
    assert "30.0 % is inside the expected 20.0 … 30.0 %" in verdict.reason  # no chance at all: ± 5 points
    assert "Changed since monday: keras 3.14 → 3.15, tasks.experiment.networks.trainer." in verdict.reason
    assert "nothing in code or versions" in judge(a_night(weights="v"), [a_night()]).reason


def test_an_answer_outside_the_expected_range_regressed_in_either_direction() -> None:
    for estimate in (19.0, 31.0):
        verdict = judge(a_night(estimate=estimate, weights="v", keras="3.15"), [a_night()])
        assert verdict.name == "Regressed"
        assert "outside" in verdict.reason
        assert "keras 3.14 → 3.15" in verdict.reason


def test_the_more_chance_there_is_the_more_is_expected() -> None:
    tonight = a_night(estimate=31.0, weights="v", chance=0.2)
    assert judge(tonight, [a_night(chance=-0.2)]).name == "Drifted"
    assert judge(tonight, [a_night(chance=0.2)]).name == "Regressed"  # hard seeds are hard every night


def test_a_regression_stays_one_the_night_after_and_one_odd_night_moves_nothing() -> None:
    odd = a_night("odd", estimate=3.0, weights="v")
    nights = [a_night("one"), a_night("two"), odd]
    assert judge(odd, nights).name == "Regressed"
    assert judge(a_night(weights="u"), nights).name == "Drifted"


# The notebook's experiment, seeds 42–46: transfer's wrong answers of 2,000, and what they become with oneDNN and one
# thread of XLA, which change last bits. Scratch's were the same in both.
REAL_SCRATCH = [352, 167, 294, 219, 161]
REAL_TRANSFER, OTHER_BITS = [169, 136, 146, 197, 156], [169, 137, 147, 199, 152]
BAD = [1.3 * wrong for wrong in REAL_TRANSFER]


def a_real_night(wrong: list[float]) -> Night:
    night = a_night(weights=str(wrong))
    errors = {"scratch": [n / 2000 for n in REAL_SCRATCH], "transfer": [n / 2000 for n in wrong]}
    return night.model_copy(update=errors | {"estimate": 100 * (1 - sum(wrong) / sum(REAL_SCRATCH))})


def judged(tonight: list[float], *earlier: list[float]) -> str:
    return judge(a_real_night(tonight), [a_real_night(wrong) for wrong in earlier]).name


def test_last_bits_drift_and_a_third_more_errors_regress() -> None:
    assert judged(OTHER_BITS, REAL_TRANSFER) == "Drifted"
    assert judged(BAD, OTHER_BITS, REAL_TRANSFER) == "Regressed"


def test_a_bad_night_stays_regressed_until_most_nights_are_like_it() -> None:
    before = REAL_TRANSFER, OTHER_BITS, REAL_TRANSFER
    assert judged(BAD, *before, BAD) == "Regressed"
    assert judged(BAD, *before, *[BAD] * 4) == "Reproduced"
    assert judged(REAL_TRANSFER, *before, BAD) == "Drifted"


def test_a_single_pair_can_not_regress() -> None:
    def single(estimate: float, weights: str) -> Night:
        night = a_night(estimate=estimate, weights=weights)
        return night.model_copy(update={"scratch": night.scratch[:1], "transfer": night.transfer[:1]})

    assert judge(single(25, "w"), [single(25, "w")]).name == "Reproduced"
    moved = judge(single(-50, "v"), [single(25, "w")])
    assert moved.name == "Drifted"
    assert "can't be told" in moved.reason


def test_a_night_without_a_scratch_error_is_left_out_and_can_not_be_judged() -> None:
    none = a_night("none", weights="u").model_copy(update={"estimate": None, "scratch": [0.0] * 4})
    tonight = a_night(estimate=31.0, weights="v")
    assert judge(tonight, [none, a_night(), none]).reason.startswith(
        judge(tonight, [a_night()]).reason.partition(" Changed since")[0]
    )
    for verdict in (judge(tonight, [none]), judge(none, [a_night()]), judge(none, [none, a_night()])):
        assert verdict.name == "Drifted"
        assert "can't be told" in verdict.reason
    assert judge(none, [a_night(), none]).name == "Reproduced"


def test_new_and_lost_things_are_changes_too() -> None:
    before, after = a_night(), a_night(h5py="3.11")
    assert changes(before, after) == ["h5py not used → 3.11"]
    assert changes(after, before) == ["h5py 3.11 → not used"]


def test_of_200_nights_without_a_change_1_in_100_is_outside_at_most() -> None:
    for world in ("like the seen", "100 real pairs", "skewed"):
        outside = nights_outside(*WORLDS[world](np.random.default_rng(1), HISTORIES, 25))
        assert outside.mean() <= 0.0115  # 1 % and a standard deviation and a half of the simulation
        assert outside[:, :9].mean() <= 0.01  # the first nights too


@pytest.mark.parametrize(
    ("noise", "effect", "found"), [(40, -30, 0.85), (20, 0, 0.85), (6, 17, 0.85), (2, 19, 0.85), (2, 23, 0)]
)
def test_a_change_is_found_the_surer_the_less_chance_there_is(noise: float, effect: float, found: float) -> None:
    """After 20 nights whose errors differ by so many of 2,000 images from night to night; 25 % became `effect`."""
    rng = np.random.default_rng(2)
    shape = 100, 21, 5
    before = same_seeds(rng, WORLDS["100 real pairs"], shape, noise, 25)
    tonight = before[0], before[1] * (1 - effect / 100) / 0.75
    outside = nights_outside(*before, tonight)[:, -1].mean()
    assert outside >= found if found else outside <= 0.05


def test_by_hand() -> None:
    """One night before, two seeds: the paired t-test of the seeds' changes, with π / 2 instead of 1 for the one night.

    Scratch's error is always 0.1; transfer's are 0.05 and 0.07, tonight 0.06 and 0.09: changes of 10 and 20 points.
    """
    scratch, transfer = np.full((2, 2), 0.1), np.array([[0.05, 0.07], [0.06, 0.09]])
    low, high = expected_range(scratch, transfer, np.array(40.0))
    chance = np.std([10, 20], ddof=1) / 2**0.5  # the variance of a change is twice that of a night
    half = t.ppf(1 - LEVEL / 2, 1) * chance * (1 + np.pi / 2) ** 0.5 / 2**0.5
    assert (low, high) == pytest.approx((40 - half, 40 + half))


def test_a_hard_seed_is_no_change_and_a_small_move_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    scratch, transfer = same_seeds(rng, WORLDS["100 real pairs"], (1, 4, 5), 0, 25)
    low, high = expected_range(scratch, transfer, np.array([25.0]))
    assert (low, high) == (20, 30)


def test_a_single_pair_can_not_tell() -> None:
    low, high = expected_range(np.full((3, 1), 0.2), np.full((3, 1), 0.1), np.array(50.0))
    assert np.isnan(low)
    assert np.isnan(high)
