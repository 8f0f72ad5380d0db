import pytest

from tasks.experiment.reports.phrases import by_metric
from tasks.experiment.reports.sentences import (
    again,
    answer,
    distinction,
    diverged_among,
    not_converged,
    study_answer,
)


def results(
    claim: str, estimate: float | None, low: float | None = None, high: float | None = None, n: int = 5
) -> dict:
    interval = {"estimate": estimate, "low": low, "high": high, "confidence": 0.95, "method": "t", "n": n}
    advice = f"{n} pairs can't tell; about 19 would" if claim == "can't tell" else None
    return {"error_reduction": interval, "claim": claim, "advice": advice, "new_images": interval}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("helps", 25.5, 19.5, 31.2), "Transfer cut the test error by 25.5 % (95 % interval 19.5 … 31.2 %, 5 pairs of"),
        (("hurts", -20.0, -30.0, -10.0), "Transfer raised the test error by 20.0 % (95 % interval -30.0 … -10.0 %,"),
        (
            ("can't tell", 25.5, 1.0, 40.0),
            "These runs can't tell whether transfer helps: it cut the test error by 25",
        ),
        (("can't tell", -2.0, -9.0, 5.0), "it raised the test error by 2.0 % (95 % interval -9.0 … 5.0 %, 5 pairs of"),
        (("can't tell", -2.0, -9.0, 5.0), "5 pairs can't tell; about 19 would"),
        (
            ("too small to matter", 1.0, -2.0, 4.0),
            "What transfer changes is too small to matter: it cut the test",
        ),
        (("can't tell", 52.0, None, None, 1), "cut the test error by 52.0 % in a single pair of runs: no interval, no"),
        (("can't tell", -5.0, None, None, 2), "raised the test error by 5.0 % in 2 pairs of runs: no interval, no cl"),
        (("can't tell", 0.04, None, None, 2), "Transfer changed the test error by 0.0 % in 2 pairs of runs: no interv"),
        (
            ("can't tell", None, None, None),
            "Training from scratch made no test error at all: there is nothing to redu",
        ),
        (("can't tell", None, None, None), "Give target_classes that are harder to tell apart, or fewer target_sample"),
    ],
)
def test_the_answer_claims_what_the_rule_allows(given: tuple, says: str) -> None:
    assert says in answer(results(*given))


def test_training_that_stopped_too_early_says_so_and_what_to_try() -> None:
    fall = {"scratch": 14.23, "transfer": 19.31}
    both = {"fall": fall, "still_falling": ["scratch", "transfer"], "learning_rate": 0.003}
    assert not_converged(both) == (
        "Training has not converged: the last quarter of the epochs still lowered the validation loss by 14.2 % "
        "(scratch) and 19.3 % (transfer); try learning_rate 0.003 or more epochs, or tuning cv, which chooses both."
    )
    one = {"fall": fall, "still_falling": ["scratch"], "learning_rate": None}
    assert (not_converged(one) or "").endswith(
        "by 14.2 % (scratch); try more epochs, or tuning cv, which chooses both."
    )
    assert not_converged({"fall": fall, "still_falling": [], "learning_rate": None}) is None


def test_a_claim_is_cautious_where_networks_diverged() -> None:
    assert diverged_among(58, 0) is None
    assert (diverged_among(58, 3) or "").startswith("Caution: 3 of these 58 networks diverged, ")


def test_two_kinds_of_again() -> None:
    assert "new seeds and new test images it is 19.5 … 31.2 %." in (again(results("helps", 25.5, 19.5, 31.2)) or "")
    assert again(results("can't tell", 52.0, n=1)) is None


def study(verdict: str, against_own: str, low: float | None = 16.7, estimate: float | None = 21.7) -> dict:
    own = {
        "arm": "self-transfer",
        "error_reduction": {"estimate": 20, "low": 15, "high": 25, "confidence": 0.95, "n": 9},
    }
    result = {"estimate": estimate, "low": low, "high": low and 26.6, "confidence": 0.95, "n": 9 if low else 1}
    equal = {"estimate": 345.4, "low": 20.0, "high": 10989.0, "smallest": 20, "largest": 10989}
    return {
        "help": {"verdict": verdict, "error_reduction": result},
        "labels": {"at": 200, "equivalent": equal if low else equal | {"low": None, "high": None}},
        "arms": {
            "against_scratch": [own],
            "transfer_against": [{"arm": "self-transfer", "verdict": against_own}],
            "self_share": {"estimate": 92.2, "low": 80.4, "high": 101.0},
        },
    }


WORTH = "200 images with transfer are worth 345 (20 or fewer … 10,989 or more) from scratch"


@pytest.mark.parametrize(
    ("verdict", "against_own", "says"),
    [
        (
            "helps",
            "helps",
            "; and it is A that helps: self-transfer, the same without A, comes to 20.0 % (95 %",
        ),
        ("helps", "can't tell", "; but these runs can't tell whether it is A that helps: self-transfer"),
        ("helps", "hurts", "; but it is not A that helps: self-transfer"),
        (
            "hurts",
            "hurts",
            "Transfer hurts: error reduction 21.7 % (95 % interval 16.7 … 26.6 %, 9 pairs); " + WORTH + ".",
        ),
        ("can't tell", "hurts", "9 pairs of runs can't tell whether transfer helps: error reduction 21.7 %"),
        ("too small to matter", "hurts", "What transfer changes is too small to matter: "),
    ],
)
def test_the_studys_answer_claims_what_its_verdicts_allow(verdict: str, against_own: str, says: str) -> None:
    assert says in study_answer(study(verdict, against_own))


def test_the_studys_answer_without_interval_or_error() -> None:
    assert study_answer(study("can't tell", "can't tell", low=None)) == (
        "1 pair of runs can't tell whether transfer helps: error reduction 21.7 % (1 pair, no interval); "
        "200 images with transfer are worth 345 from scratch."
    )
    assert "no test error at all" in study_answer(study("can't tell", "can't tell", estimate=None))


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        (["cat", "dog"], "cat from dog"),
        (["cat", "dog", "owl"], "cat, dog and owl apart"),
        (list("abcdef"), "6 classes apart"),
    ],
)
def test_task_b_in_words(classes: list[str], says: str) -> None:
    assert distinction(classes) == says


def test_the_share_of_self_transfer_is_named_where_it_is_known() -> None:
    assert study_answer(study("helps", "can't tell")).endswith("9 pairs), 92 % (80 … 101) of transfer's gain.")


def test_another_metrics_error_is_called_by_its_name() -> None:
    text = "Transfer cut the test error. Test accuracy of each pair; mean test accuracy."
    assert by_metric(text, "accuracy") == text
    assert by_metric(text, "balanced_accuracy") == (
        "Transfer cut the balanced test error. Balanced test accuracy of each pair; mean balanced test accuracy."
    )
    assert by_metric(text, "roc_auc") == (
        "Transfer cut the test error (1 − ROC AUC). Test ROC AUC of each pair; mean test ROC AUC."
    )
