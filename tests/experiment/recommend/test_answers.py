import numpy as np
import pytest

from tasks.experiment.recommend.answers import Contestant, confusion, decide_among, mistakes
from tasks.experiment.recommend.judging import Judged
from tasks.experiment.recommend.methods import LOGISTIC, MAJORITY, SCRATCH

LABELS = np.array([0, 1] * 20, np.int32)
NAMES = ("cat", "dog")
ROWS = np.arange(100, 140, dtype=np.int32)


def contestant(name: str, weights: int, wrong: list[int], repetitions: int = 2, majority: bool = False) -> Contestant:
    """One that is wrong on these images, whenever they are held out; or always says 0."""
    answers = LABELS * 0 if majority else LABELS.copy()
    answers[wrong] = 1 - answers[wrong]
    folds = [np.random.default_rng(number).permutation(40) % 5 for number in range(repetitions)]
    judged = [
        Judged(np.array([[0.1, 10]]), each, answers[None], (answers != LABELS)[None].astype(np.float32))
        for each in folds
    ]
    return Contestant(
        name=name, source="b.keras" if "probe" in name else "", weights=weights, penalized=False,
        learns=not majority, judged=judged,
    )  # fmt: skip


@pytest.fixture
def four() -> list[Contestant]:
    return [
        contestant(MAJORITY, 10, [], repetitions=1, majority=True),
        contestant(LOGISTIC, 10, list(range(16))),
        contestant(SCRATCH, 500, [3, 5]),
        contestant("probe b.keras", 200, [3, 5, 6]),
    ]


def test_the_choice_by_hand(four: list[Contestant]) -> None:
    """The probe is one image of 40 behind scratch, which is within an error, and its network is smaller."""
    choice = decide_among(four, LABELS, NAMES, ROWS, [], seed=1)
    assert [each["name"] for each in choice["candidates"]] == [MAJORITY, LOGISTIC, "probe b.keras", SCRATCH]
    assert [each["accuracy"]["estimate"] for each in choice["candidates"]] == [0.5, 0.6, 0.925, 0.95]
    assert (choice["chosen"], choice["best"]) == ("probe b.keras", SCRATCH)
    assert choice["images"] == 40
    assert (choice["folds"], choice["repetitions"]) == (5, 2)
    assert [each["repetitions"] for each in choice["candidates"]] == [1, 2, 2, 2]  # the first one was dropped
    by_name = {each["over"]: each for each in choice["advantages"]}
    assert by_name[SCRATCH]["points"] == pytest.approx(-2.5)
    assert by_name[SCRATCH]["p"] > 0.5
    assert by_name[MAJORITY]["points"] == pytest.approx(42.5)
    assert by_name[MAJORITY]["p"] < 0.05
    assert choice["confusion"] == [[19, 1], [2, 18]]


def test_what_all_got_wrong_is_named_and_the_majority_does_not_count(four: list[Contestant]) -> None:
    files = [f"folder/{number}.png" for number in range(200)]
    choice = decide_among(four, LABELS, NAMES, ROWS, files, seed=1)
    assert [each["file"] for each in choice["mistakes"]] == [f"folder/{number}.png" for number in (103, 105)]
    assert choice["mistakes"][0] == {"row": 103, "file": "folder/103.png", "label": "dog", "says": "cat"}


def test_an_image_that_one_method_once_got_right_is_no_mistake() -> None:
    labels, rows = np.array([0, 1], np.int32), np.array([7, 8], np.int32)
    answers = [np.array([[1, 0], [1, 1]], np.int32), np.array([[1, 0]], np.int32)]
    assert [each["row"] for each in mistakes(answers, labels, NAMES, rows, [])] == [7]


def test_confusions_are_means_over_repetitions() -> None:
    answers, labels = np.array([[0, 1, 1], [0, 0, 1]]), np.array([0, 1, 1], np.int32)
    assert confusion(answers.astype(np.int32), labels, 2) == [[1, 0], [0.5, 1.5]]
