import pytest

from tasks.experiment.reports.sentences import answer, distinction, study_answer


@pytest.mark.parametrize(
    ("estimate", "low", "high", "says"),
    [
        (
            25.5,
            19.5,
            31.2,
            "Transfer cut the test error by 25.5 % (95 % interval 19.5 … 31.2 %, 5 pairs of runs, boot).",
        ),
        (
            -20.0,
            -30.0,
            -10.0,
            "Transfer raised the test error by 20.0 % (95 % interval 10.0 … 30.0 %, 5 pairs of runs,",
        ),
        (
            -2.0,
            -9.0,
            5.0,
            "can't tell whether transfer helps: it cut the test error by -2.0 % (95 % interval -9.0 … 5.0",
        ),
        (52.0, None, None, "cut the test error by 52.0 % in a single pair of runs: no interval, no claim."),
        (-5.0, None, None, "raised the test error by 5.0 % in a single pair"),
        (None, None, None, "made no test error at all"),
    ],
)
def test_the_answer_claims_what_the_interval_allows(
    estimate: float | None, low: float | None, high: float | None, says: str
) -> None:
    result = {"estimate": estimate, "low": low, "high": high, "confidence": 0.95, "method": "boot", "n": 5}
    assert says in answer(result)


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
        "arms": {"against_scratch": [own], "transfer_against": [{"arm": "self-transfer", "verdict": against_own}]},
    }


WORTH = "200 images with transfer are worth 345 (20 or fewer … 10,989 or more) from scratch"


@pytest.mark.parametrize(
    ("verdict", "against_own", "says"),
    [
        ("helps", "helps", "; and it is A that helps: self-transfer, the same without A, comes to 20.0 % (95 %"),
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
        "1 pair of runs can't tell whether transfer helps: error reduction 21.7 % (a single pair, no interval); "
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
