"""The study's answers from tables made by hand."""

import pandas as pd
import pytest

from tasks.experiment.scores import Metric
from tasks.experiment.study.answers import KEYS, answer_questions, behind_the_answer, replicates, tabulate
from tests.support.by_hand import EXPERIMENT, B


def test_every_question_by_hand(rows: list[dict]) -> None:
    answers = answer_questions(tabulate(rows), EXPERIMENT, B)
    assert answers["help"]["error_reduction"]["estimate"] == pytest.approx(50)
    assert answers["help"]["error_reduction"]["n"] == 7
    assert answers["help"]["p"] == pytest.approx(2**-6)  # of seven wins in seven, however clear they are
    assert answers["help"]["verdict"] == "helps"
    verdicts = [(arm["arm"], arm["verdict"]) for arm in answers["arms"]["against_scratch"]]
    assert verdicts == [("transfer", "helps"), ("probe", "too small to matter")]
    (against_probe,) = answers["arms"]["transfer_against"]
    assert against_probe["error_reduction"]["estimate"] == pytest.approx(50)  # probe is as good as scratch
    assert [point["samples"] for point in answers["labels"]["curve"]] == [50, 200, 800]
    # Transfer at 200 errs 10 %: two thirds of the way from scratch's 20 % at 200 to its 5 % at 800.
    assert answers["labels"]["equivalent"]["estimate"] == pytest.approx(200 * 4 ** (2 / 3))
    pixels = {c["comparison"]: c["error_reduction"]["estimate"] for c in answers["pixels"]}
    assert pixels == {
        "transfer against scratch, standardized pixels": pytest.approx(50),
        "transfer against scratch, raw pixels": pytest.approx(100 / 3),
        "standardized against raw pixels, scratch": pytest.approx(100 / 3),
        "standardized against raw pixels, transfer": pytest.approx(50),
    }
    assert "classes" not in answers


def test_a_family_shares_its_alpha(rows: list[dict]) -> None:
    arms = {arm["arm"]: arm for arm in answer_questions(tabulate(rows), EXPERIMENT, B)["arms"]["against_scratch"]}
    assert arms["transfer"]["p_holm"] == pytest.approx(2 * arms["transfer"]["p"])


def test_other_classes_are_judged_by_the_t_test(rows: list[dict]) -> None:
    other = [r | {"classes": "5 7", "negative": 5, "positive": 7, "accuracy": 0.9} for r in rows if r["samples"] == 200]
    answers = answer_questions(tabulate(rows + other), EXPERIMENT, B)
    own, new = answers["classes"]
    assert (own["negative"], own["positive"]) == ("T-shirt/top", "Pullover")
    assert (new["negative"], new["positive"]) == ("Sandal", "Sneaker")
    assert own["error_reduction"]["method"].startswith("inverted paired t-test")
    assert own["error_reduction"]["estimate"] == pytest.approx(50)
    assert new["error_reduction"]["estimate"] == 0
    fewer = answer_questions(tabulate(rows + [r for r in other if r["seed"] < 3]), EXPERIMENT, B)["classes"]
    assert [pair["error_reduction"]["n"] for pair in fewer] == [3, 3]  # the seeds that both have
    assert answers["help"] == answer_questions(tabulate(rows), EXPERIMENT, B)["help"]


def test_the_table_does_not_depend_on_the_order_of_rows_and_holds_none_twice(rows: list[dict]) -> None:
    table = tabulate(rows)
    pd.testing.assert_frame_equal(table, tabulate([*reversed(rows), rows[0]]))
    assert not table.duplicated(KEYS).any()


def test_pairs_as_in_metrics_and_a_diverged_run_has_no_loss(rows: list[dict]) -> None:
    first = rows[0] | {"accuracy": 0.5, "loss": None, "diverged": True}
    pair = replicates(tabulate([first, *rows[1:]]), EXPERIMENT, B)[0]
    assert pair["scratch"] == {
        "accuracy": 0.5, "balanced_accuracy": first["balanced_accuracy"], "roc_auc": first["roc_auc"], "loss": None,
    }  # fmt: skip
    assert pair["transfer"]["accuracy"] == pytest.approx(rows[1]["accuracy"])
    assert pair["transfer"]["loss"] == 0.5
    assert pair["error_reduction"] == pytest.approx(100 * (1 - (1 - rows[1]["accuracy"]) / 0.5))
    assert pair["seed"] == 0


@pytest.mark.parametrize(
    ("metric", "scratch", "transfer"),
    [("accuracy", 0.2, 0.1), ("balanced_accuracy", 0.25, 0.15), ("roc_auc", 0.1, 0.05)],
)
def test_every_answer_is_of_the_errors_by_the_experiments_metric(
    metric: Metric, scratch: float, transfer: float, rows: list[dict]
) -> None:
    """Accuracies of 0.8 and 0.9; the balanced ones are 0.05 lower, and ROC AUC is halfway to 1."""
    table, experiment = tabulate(rows), EXPERIMENT.vary(metric=metric)
    study = answer_questions(table, experiment, B)
    helps, at = study["help"], next(point for point in study["labels"]["curve"] if point["samples"] == 200)
    pixels = study["pixels"][0]
    for found in (helps, at, pixels):
        assert 1 - found["baseline_accuracy"] == pytest.approx(scratch, abs=1e-9)
        assert 1 - found["accuracy"] == pytest.approx(transfer, abs=1e-9)
        assert found["error_reduction"]["estimate"] == pytest.approx(100 * (1 - transfer / scratch))
    pair = replicates(table, experiment, B)[0]
    assert pair["error_reduction"] == pytest.approx(100 * (1 - (1 - rows[1][metric]) / (1 - rows[0][metric])))


def test_behind_the_answer_are_scratch_and_transfer_by_either_recipe(rows: list[dict]) -> None:
    """Of seven seeds, not the probe, nor other budgets, nor raw pixels."""
    tuned = [r | {"arm": "T*", "chosen_by": "cross-validation"} for r in rows[:1]]
    found = behind_the_answer(tabulate(rows + tuned), EXPERIMENT, B)
    assert found.arm.value_counts().to_dict() == {"scratch": 7, "transfer": 7, "T*": 1}
    assert set(found.samples) == {200}
    assert set(found.normalization) == {"standardize"}
