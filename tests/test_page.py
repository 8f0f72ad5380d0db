import pytest

from tasks.experiment.page import answer


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
    assert says in answer({"error_reduction": result})
