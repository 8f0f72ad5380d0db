"""The tuned arms' answers from made-up tables whose answer is known."""

import dataclasses
import json
from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
import pytest

from tasks.experiment.results.comparisons import Comparison
from tasks.experiment.results.statistics.basics import holm
from tasks.experiment.results.tuned import Tuned
from tasks.experiment.study.tuned.answers import TunedTables, answer_tuned
from tests.support.by_hand import EXPERIMENT, B
from tests.support.tuned_worlds import BUDGETS, SOURCE_STEPS, WORLDS, made_up


@cache
def tables(world: str, classes: int = 0) -> TunedTables:
    return made_up(WORLDS[world], classes=classes)


@cache
def answers(world: str, classes: int = 0) -> Tuned:
    return answer_tuned(tables(world, classes), EXPERIMENT, B)


def test_errors_and_recipes_of_all_arms() -> None:
    arms = {arm["arm"]: arm for arm in answers("same")["arms"]}
    assert list(arms)[:6] == ["scratch", "STAT20", "RLAB20", "transfer", "S*", "T*"]
    runs = tables("same").runs
    own = runs[(runs.samples == 200) & (runs.chosen_by == "cross-validation")]
    assert arms["S*"]["error"]["estimate"] == pytest.approx(100 - 100 * own[own.arm == "S*"].accuracy.mean())
    assert (arms["S*"]["learning_rate"], arms["S*"]["epochs"]) == ((0.1, 0.1), (100, 100))
    assert (arms["scratch"]["learning_rate"], arms["scratch"]["epochs"]) == ((0.001, 0.001), (20, 20))
    assert (arms["LP*"]["learning_rate"], arms["LP*"]["epochs"]) == (None, None)


def test_what_goes_and_what_remains_are_the_notebooks_gain() -> None:
    gain = answers("labels matter")["notebook_gain"]
    errors = {arm["arm"]: arm["error"]["estimate"] for arm in answers("labels matter")["arms"]}
    notebook, remains = errors["scratch"] - errors["transfer"], errors["S*"] - errors["T*"]
    assert gain["notebook"]["points"]["estimate"] == pytest.approx(notebook)
    assert gain["remains"]["points"]["estimate"] == pytest.approx(remains)
    assert gain["goes"]["estimate"] == pytest.approx(notebook - remains)
    assert gain["goes_share"]["estimate"] == pytest.approx(100 * (1 - remains / notebook))
    assert [each["after"] for each in gain["training"]] == ["S*", "T*"]
    assert gain["training"][0]["points"]["estimate"] == pytest.approx(errors["scratch"] - errors["S*"])


@pytest.mark.parametrize(
    ("world", "verdicts", "parts"),
    [
        ("same", ["can't tell", None, None], [False, False, False]),
        ("scale matters", ["helps", "can't tell", None], [True, False, False]),
        ("labels matter", ["helps", "helps", "helps"], [False, False, True]),
    ],
)
def test_a_world_is_found_to_be_what_it_is(world: str, verdicts: list[str | None], parts: list[bool]) -> None:
    found = answers(world)
    steps = found["sequence"]
    assert [step["before"] for step in steps] == ["S*", "STAT*", "RLAB*"]
    assert [step["verdict"] if step["reached"] else None for step in steps] == verdicts
    assert [part["verdict"] == "helps" for part in found["decomposition"]["tuned"]["parts"]] == parts
    assert found["notebook_gain"]["notebook"]["verdict"] == "helps"
    assert found["decomposition"]["notebook"]["parts"][0]["verdict"] == "helps"  # there it is scale in all worlds


def test_from_how_few_labels_on_it_pays() -> None:
    budgets = answers("few labels pay")["budgets"]
    assert [point["samples"] for point in budgets["curve"]] == list(BUDGETS)
    assert [point["verdict"] == "helps" for point in budgets["curve"]] == [True, True, True, False, False, False]
    # With 20 images transfer errs 10 ** -0.15 of scratch, which goes with images ** -0.4: worth 20 * 10 ** (3 / 8)
    worth = {each["samples"]: each for each in budgets["worth"]}
    assert list(worth) == [20, 50, 100]
    assert worth[20]["low"] < 20 * 10 ** (3 / 8) < worth[20]["high"]


def test_after_as_many_steps() -> None:
    rows = answers("same")["compute"]
    assert [(row["after"], row["steps"], row["source_counted"]) for row in rows] == [
        ("transfer", 20 * 7, False),
        ("T*", 100 * 7, False),
        ("transfer", 20 * 7 + SOURCE_STEPS, True),
        ("T*", 100 * 7 + SOURCE_STEPS, True),
    ]
    assert rows[0]["baseline_accuracy"] == pytest.approx(1 - 0.04, abs=0.001)  # made up to have converged by then


def test_a_source_that_was_not_trained_here_has_no_steps_to_count() -> None:
    without = dataclasses.replace(tables("same"), source_steps=None)
    assert [row["source_counted"] for row in answer_tuned(without, EXPERIMENT, B)["compute"]] == [False, False]


def test_the_price_of_few_labels() -> None:
    few = answers("same")["few_labels"]
    assert [(each["arm"], each["before"], each["after"]) for each in few["price"]] == [
        ("S*", "cross-validation", "validation images"),
        ("T*", "cross-validation", "validation images"),
    ]
    runs = tables("same").runs
    mean = 100 - 100 * runs[(runs.samples == 200) & (runs.arm == "S*")].groupby("chosen_by").accuracy.mean()
    expected = mean["cross-validation"] - mean["validation images"]
    assert few["price"][0]["points"]["estimate"] == pytest.approx(expected)


def families(found: Tuned) -> dict[str, Sequence[Comparison]]:
    """What is exploratory, by question."""
    return {
        "training": found["notebook_gain"]["training"],
        "against scratch": found["against_scratch"],
        "tuned parts": found["decomposition"]["tuned"]["parts"],
        "notebook's parts": found["decomposition"]["notebook"]["parts"],
        "budgets": found["budgets"]["curve"],
        "compute": found["compute"],
        "price": [*found["few_labels"]["price"], found["few_labels"]["remains"]],
        "classes": found["classes"]["single"],
    }


def test_what_is_exploratory_is_judged_together_by_holm_one_family_per_question() -> None:
    for question, found in families(answers("labels matter", classes=9)).items():
        by_itself, adjusted = ([each[p] for each in found] for p in ("p", "p_holm"))
        assert adjusted == pytest.approx(holm(by_itself)), question
        assert adjusted != by_itself, question
    inputs = answers("labels matter")["decomposition"]["notebook"]["parts"][1]
    assert inputs["p"] < 0.05 < inputs["p_holm"]
    assert inputs["verdict"] == "can't tell"


def test_the_fixed_sequence_shares_its_5_percent_with_nothing() -> None:
    found = answers("labels matter")
    alone = [found["notebook_gain"]["remains"], *found["sequence"]]
    assert [each["p_holm"] for each in alone] == [each["p"] for each in alone]


def test_what_was_tried() -> None:
    sgd, probe = answers("same")["tried"]
    assert (sgd["values"], sgd["of"], sgd["lowest"], sgd["highest"]) == (7, "learning rates", 0.001, 1)
    assert (sgd["epochs"], sgd["seeds"], sgd["nested"]) == (100, 4, False)
    assert "LP*" not in sgd["arms"]
    assert (probe["arms"], probe["of"], probe["epochs"]) == (["LP*"], "penalties", None)
    own = tables("same").tuning.assign(seed=lambda rows: rows.seed - 1_000_000)
    assert answer_tuned(dataclasses.replace(tables("same"), tuning=own), EXPERIMENT, B)["tried"][0]["nested"]


def test_all_pairs_of_classes_are_one_answer_beside_the_single_ones() -> None:
    assert "classes" not in answers("labels matter")
    found = answers("labels matter", classes=9)["classes"]
    assert len(found["single"]) == 10
    assert {row["error_reduction"]["n"] for row in found["single"]} == {3}  # the seeds that all of them have
    assert found["verdict"] == "helps"
    assert found["error_reduction"]["n"] == 30
    assert {row["verdict"] for row in found["single"]} == {"can't tell"}


def test_other_pixels_and_other_classes_change_nothing_else() -> None:
    own = tables("same")
    other = own.runs.assign(normalization="none", accuracy=0.5)
    more = dataclasses.replace(own, runs=pd.concat([own.runs, other[other.chosen_by == "notebook"]]))
    assert answer_tuned(more, EXPERIMENT, B) == answers("same")


def test_an_imported_source_has_no_permuted_labels() -> None:
    own = tables("labels matter")
    runs = own.runs[~own.runs.arm.isin(["RLAB*", "RLAB20"])]
    found = answer_tuned(dataclasses.replace(own, runs=runs), EXPERIMENT, B)
    for parts in found["decomposition"].values():
        assert [part["part"] for part in parts["parts"]] == ["scale", "inputs and labels"]
    assert [step["before"] for step in found["sequence"]] == ["S*", "STAT*"]


def test_a_control_whose_source_diverged_is_left_out() -> None:
    own = tables("labels matter")
    of_permuted = own.runs.body == "permuted A"
    assert of_permuted.any()
    one = dataclasses.replace(own, runs=own.runs.assign(diverged=of_permuted & (own.runs.seed == 0)))
    found = answer_tuned(one, EXPERIMENT, B)
    assert not {"RLAB*", "RLAB20"} & {arm["arm"] for arm in found["arms"]}
    assert [part["part"] for part in found["decomposition"]["tuned"]["parts"]] == ["scale", "inputs and labels"]
    by_recipe = own.runs.assign(diverged=(own.runs.arm == "RLAB*") & (own.runs.seed == 0))
    kept = answer_tuned(dataclasses.replace(own, runs=by_recipe), EXPERIMENT, B)
    assert "RLAB*" in {arm["arm"] for arm in kept["arms"]}  # by its own recipe: it counts as it answers


def test_of_two_seeds_nothing_is_claimed_and_all_is_plain_data() -> None:
    found = answer_tuned(made_up(WORLDS["labels matter"], seeds=2, classes=2), EXPERIMENT, B)
    assert found["notebook_gain"]["remains"]["points"]["low"] is None
    assert {step["verdict"] for step in found["sequence"]} == {"can't tell"}
    assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(json.dumps(found))


def test_a_diverged_network_counts_as_it_answers() -> None:
    own = tables("same")
    diverged = (own.runs.arm == "T*") & (own.runs.samples == 200) & (own.runs.seed == 0)
    runs = own.runs.assign(accuracy=np.where(diverged, 0.5, own.runs.accuracy))
    found = answer_tuned(dataclasses.replace(own, runs=runs), EXPERIMENT, B)
    assert found["notebook_gain"]["remains"]["points"]["estimate"] < -1
