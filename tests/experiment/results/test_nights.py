from tasks.experiment.results.nights import Night, changes, judge

MADE_WITH = {"keras": "3.14", "python": "3.11", "tasks.experiment.networks.trainer": "aa"}


def a_night(
    run: str = "monday",
    estimate: float | None = 25.0,
    low: float | None = 20.0,
    high: float | None = 30.0,
    weights: str = "w",
    **made_with: str,
) -> Night:
    return Night(
        run=run, date="2026-01-01", estimate=estimate, low=low, high=high,
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


def test_other_weights_inside_the_interval_drifted_and_what_changed_is_named() -> None:
    tonight = a_night(estimate=30.0, weights="v", keras="3.15", **{"tasks.experiment.networks.trainer": "bb"})
    verdict = judge(tonight, [a_night()])
    assert verdict.name == "Drifted"
    assert "30.0 % is inside the earlier nights' 20.0 … 30.0 %" in verdict.reason
    assert "Changed since monday: keras 3.14 → 3.15, tasks.experiment.networks.trainer." in verdict.reason
    assert "nothing in code or versions" in judge(a_night(weights="v"), [a_night()]).reason


def test_an_answer_outside_the_interval_regressed_in_either_direction() -> None:
    for estimate in (19.9, 30.1):
        verdict = judge(a_night(estimate=estimate, weights="v", keras="3.15"), [a_night()])
        assert verdict.name == "Regressed"
        assert "outside" in verdict.reason
        assert "keras 3.14 → 3.15" in verdict.reason


def test_a_regression_stays_one_the_night_after_and_one_odd_night_moves_nothing() -> None:
    odd = a_night("odd", estimate=3.0, low=-5.0, high=9.0, weights="v")
    nights = [a_night("one"), a_night("two"), odd]
    assert judge(odd, nights).name == "Regressed"
    assert judge(a_night(weights="u"), nights).name == "Drifted"


def test_what_has_no_interval_can_not_regress() -> None:
    single = a_night(low=None, high=None)
    assert judge(single, [single]).name == "Reproduced"
    moved = judge(a_night(estimate=-50.0, low=None, high=None, weights="v"), [single])
    assert moved.name == "Drifted"
    assert "can't be told" in moved.reason
    assert judge(a_night(estimate=None, weights="v"), [a_night()]).name == "Drifted"


def test_new_and_lost_things_are_changes_too() -> None:
    before, after = a_night(), a_night(h5py="3.11")
    assert changes(before, after) == ["h5py not used → 3.11"]
    assert changes(after, before) == ["h5py 3.11 → not used"]
