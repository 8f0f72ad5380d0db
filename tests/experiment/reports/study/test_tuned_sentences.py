import pytest

from tasks.experiment.reports.study.tuned_sentences import (
    consists,
    equal_steps,
    goes,
    over_classes,
    pays,
    price,
    remains,
    self_check,
    sequence,
    tuned_answer,
    worths,
)


def interval(estimate: float | None, low: float | None = None, high: float | None = None, n: int = 9) -> dict:
    return {"estimate": estimate, "low": low, "high": high, "confidence": 0.95, "n": n}


def difference(
    verdict: str, points: dict, reduction: dict, errors: tuple[float, float] = (0.1, 0.04), **more: object
) -> dict:
    before, after = (1 - error for error in errors)
    numbers = {"points": points, "error_reduction": reduction, "baseline_accuracy": before, "accuracy": after}
    return {"verdict": verdict, **numbers, **more}


GAIN = {
    "notebook": difference("helps", interval(2.5, 1.5, 3.5), interval(21.7, 16.7, 26.6)),
    "remains": difference("can't tell", interval(-0.004, -0.3, 0.2), interval(0.5, -6.0, 7.0)),
    "goes": interval(2.504, 1.0, 4.0),
    "goes_share": interval(100.2, 80.0, 130.0),
    "training": [
        difference("helps", interval(6.7, 6.1, 7.3), interval(60, 55, 65), (0.107, 0.04)),
        difference("helps", interval(4.4, 4.1, 4.8), interval(50, 45, 55), (0.084, 0.04)),
    ],
}


def budgets(**verdicts: str) -> dict:
    worth = [{"samples": 20, "estimate": 46.7, "low": 41.5, "high": 1000, "smallest": 20, "largest": 1000}]
    curve = [{"samples": int(n[1:]), "verdict": verdict} for n, verdict in verdicts.items()]
    return {"curve": curve, "worth": worth if "helps" in verdicts.values() else []}


def test_the_opening_tells_the_notebooks_number_why_what_remains_and_where_it_pays() -> None:
    curve = budgets(_20="helps", _200="can't tell")
    study = {"help": GAIN["notebook"], "tuned": {"notebook_gain": GAIN, "budgets": curve}}
    assert tuned_answer(study) == (
        "By the notebook's recipe, transfer helps: error reduction 21.7 % (95 % interval 16.7 … 26.6 %, 9 pairs), but "
        "that recipe ends before training has finished. Tuned, scratch has a test error of 4.0 % instead of "
        "10.7 %, and transfer one of 4.0 % instead of 8.4 %. With both sides tuned, 9 pairs of runs can't tell whether "
        "transfer helps: error reduction 0.5 % (95 % interval -6.0 … 7.0 %, 9 pairs); what remains of the notebook's "
        "2.50 points of test error is 0.00 (-0.30 … 0.20). Transfer helps with 20 labelled images; from 200 on these "
        "runs do not show that it does."
    )


def test_a_recipe_that_tuning_does_not_improve_is_not_called_unfinished() -> None:
    same = difference("can't tell", interval(0.1, -0.2, 0.4), interval(1, -2, 4), (0.04, 0.039))
    gain = GAIN | {"training": [same, same]}
    curve = budgets(_20="can't tell")
    assert "finished" not in tuned_answer(
        {"help": GAIN["notebook"], "tuned": {"notebook_gain": gain, "budgets": curve}}
    )


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        ("helps", "With both sides tuned, transfer helps: error reduction"),
        ("hurts", "With both sides tuned, transfer hurts: error reduction"),
        ("too small to matter", "With both sides tuned, what transfer changes is too small to matter: error reduction"),
    ],
)
def test_what_remains_claims_what_its_verdict_does(verdict: str, says: str) -> None:
    assert remains(GAIN | {"remains": GAIN["remains"] | {"verdict": verdict}}).startswith(says)


def test_nothing_remains_of_a_gain_that_the_notebook_has_not() -> None:
    assert "remains" not in remains(GAIN | {"notebook": GAIN["notebook"] | {"verdict": "can't tell"}})


def test_what_goes() -> None:
    assert goes(GAIN).endswith(
        "So 2.50 (1.00 … 4.00) of the notebook's 2.50 (1.50 … 3.50) points go, 100 % (80 … 130) of them, and 0.00 "
        "(-0.30 … 0.20) remain."
    )
    assert "of them" not in goes(GAIN | {"goes_share": None})


def test_scratch_without_an_error_is_no_error_of_the_sentence() -> None:
    none = GAIN["remains"] | {"error_reduction": interval(None)}
    assert "unknown, since scratch made no test error" in remains(GAIN | {"remains": none})


def test_the_price_of_few_labels() -> None:
    few = {"price": [{"points": interval(0.2, 0.1, 0.3)}, {"points": interval(0.1)}], "remains": GAIN["remains"]}
    assert "costs scratch 0.20 (0.10 … 0.30) points and transfer 0.10." in price(few)


@pytest.mark.parametrize(
    ("verdict", "points", "says"),
    [
        ("helps", (0.5, 0.2, 0.8), "is 0.50 (0.20 … 0.80) points lower, so tuned scratch could still have gained"),
        ("can't tell", (-0.1, -0.4, 0.2), "is 0.10 (-0.20 … 0.40) points higher, so nothing shows"),
        ("too small to matter", (0.0, -0.1, 0.1), "is 0.00 (-0.10 … 0.10) points lower, which is too small to matter"),
    ],
)
def test_whether_scratch_had_converged(verdict: str, points: tuple, says: str) -> None:
    assert says in self_check({"verdict": verdict, "points": interval(*points)})


def steps(*verdicts: str | None) -> list[dict]:
    return [
        {"before": arm, "reached": verdict is not None, "verdict": verdict or "can't tell"}
        for arm, verdict in zip(("S*", "STAT*", "RLAB*"), verdicts, strict=True)
    ]


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        (("can't tell", None, None), "The first test, tuned transfer against tuned scratch, claims no gain, and so"),
        (("hurts", None, None), "The first test, tuned transfer against tuned scratch, claims no gain, and so"),
        (("helps", "can't tell", None), "is better than tuned scratch; that it is better than random layers with"),
        (("helps", "helps", "can't tell"), "; that it is better than a body that was trained on permuted labels is no"),
        (("helps", "helps", "helps"), "deviations of A's and a body that was trained on permuted labels."),
    ],
)
def test_the_sequence_claims_up_to_the_first_test_that_does_not(verdicts: tuple, says: str) -> None:
    assert says in sequence(steps(*verdicts))


def test_what_a_gain_consists_of() -> None:
    parts = [
        {"part": "scale", "points": interval(1.5), "share": interval(75, 50, 90)},
        {"part": "inputs and labels", "points": interval(0.5), "share": interval(25, 10, 50)},
    ]
    found = {"total": {"points": interval(2.0)}, "parts": parts}
    assert (
        consists(found) == "2.00 points in all: 1.50 (75 %) from A's scale and 0.50 (25 %) from A's inputs and labels."
    )
    unknown = consists(found | {"parts": [part | {"share": None} for part in parts]})
    assert unknown.endswith("0.50 from A's inputs and labels. There are no shares, since the total may be zero.")


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ("hhhh", "Transfer helps at each of the 4 numbers of labelled images from 20 to 1,000."),
        ("hhcc", "Transfer helps with 20 to 50 labelled images; from 200 on these runs do not show that it does."),
        (
            "hcch",
            "Transfer helps with 20 and 1,000 labelled images, of the 4 numbers from 20 to 1,000 that were tried.",
        ),
        (
            "cccc",
            "At none of the 4 numbers of labelled images from 20 to 1,000 do these runs show that",
        ),
        ("hcxx", "from 50 on these runs do not show that it does; it hurts with 200 and 1,000."),
    ],
)
def test_from_how_few_labels_on_it_pays(verdicts: str, says: str) -> None:
    names = {"h": "helps", "c": "can't tell", "x": "hurts"}
    found = budgets(**{f"_{n}": names[v] for n, v in zip((20, 50, 200, 1000), verdicts, strict=True)})
    assert says in pays(found)


def test_what_labels_are_worth_where_it_helps() -> None:
    assert (
        worths(budgets(_20="helps"))
        == "In labels from scratch, both sides tuned: 20 are worth 47 (42 … 1,000 or more)."
    )
    assert worths(budgets(_20="hurts")) is None


def test_all_pairs_of_classes() -> None:
    found = {
        "single": [{}] * 45, "verdict": "helps", "error_reduction": interval(9.0, 3.0, 15.0, n=135),
        "scratch_error": 2.1, "transfer_error": 1.9, "probability_of_improvement": interval(60.6, 55.4, 66.0),
    }  # fmt: skip
    said = over_classes(found)
    assert "45 pairs of classes, each counting alike, transfer helps: error reduction 9.0 % (95 % interval 3.0" in said
    assert "The probability of improvement is 61 % (55 … 66)" in said


def test_at_equal_steps_only_tuned_transfer_is_told_of() -> None:
    rows = [
        difference("hurts", interval(-4), interval(-99), after="transfer", steps=140, source_counted=False),
        difference("helps", interval(1), interval(25, 20, 30), after="T*", steps=700, source_counted=False),
        difference("can't tell", interval(0), interval(1, -4, 6), after="T*", steps=28220, source_counted=True),
    ]
    said = equal_steps(rows)
    assert said.startswith(
        "Tuned transfer took 700 steps; against tuned scratch after as many, transfer helps: error r"
    )
    assert "Together with those of A it took 28,220 steps; against tuned scratch after as many, 9 pairs of" in said
    assert "140" not in said


def test_a_faultless_scratch_by_the_notebooks_recipe_has_a_remedy() -> None:
    none = {"estimate": None, "low": None, "high": None, "confidence": 0.95, "n": 9}
    study = {
        "help": GAIN["notebook"] | {"error_reduction": none},
        "tuned": {"notebook_gain": GAIN, "budgets": budgets(_20="can't tell")},
    }
    assert tuned_answer(study).endswith("Give target_classes that are harder to tell apart, or fewer target_samples.")
