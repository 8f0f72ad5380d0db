from tasks.experiment.recommend.answers import Advantage, Candidate, Choice
from tasks.experiment.recommend.curve import Curve
from tasks.experiment.recommend.methods import LOGISTIC, MAJORITY, SCRATCH
from tasks.experiment.reports.recommend.sentences import recommendation, said_by_test_images
from tasks.experiment.results.statistics.basics import Interval

CURVE = Curve(measured=[], fitted=[], more=200, worth=1.23, worth_low=0.3, worth_high=2.04)
NAMES = ["cat", "dog"]


def fraction(estimate: float, low: float = 0.5, high: float = 0.99) -> Interval:
    return Interval(estimate=estimate, low=low, high=high, confidence=0.9, method="", n=200, unit="fraction")


def candidate(name: str, accuracy: float, source: str = "") -> Candidate:
    return Candidate(
        name=name, source=source, weights=1, repetitions=4, accuracy=fraction(accuracy), learning_rate=None,
        epochs=None, penalty=None, edge="", below_best=0.0, p=1.0,
    )  # fmt: skip


def choice(chosen: str, advantages: list[Advantage]) -> Choice:
    candidates = [
        candidate(MAJORITY, 0.5), candidate(LOGISTIC, 0.9), candidate(SCRATCH, 0.88),
        candidate("fine-tune backbone.keras up to pool", 0.93, "backbone.keras up to pool"),
    ]  # fmt: skip
    return Choice(
        images=200, folds=5, repetitions=4, candidates=candidates, chosen=chosen, best=chosen,
        expected=fraction(0.931, 0.904, 0.952), advantages=advantages, confusion=[], mistakes=[],
    )  # fmt: skip


def test_a_source_that_beats_all_that_is_simpler() -> None:
    better = [Advantage(over=name, points=5.0, p=0.001) for name in (MAJORITY, LOGISTIC, SCRATCH)]
    assert recommendation(choice("fine-tune backbone.keras up to pool", better), CURVE, NAMES) == (
        "Fine-tune backbone.keras up to pool: 93.1 % expected on new images (90 % interval 90.4 … 95.2 %); "
        "scratch 88.0 %; 200 more labels would be worth about 1.2 points (0.3 … 2.0)."
    )


def test_a_source_that_is_not_shown_to_beat_scratch() -> None:
    unclear = [Advantage(over=MAJORITY, points=40.0, p=0.001), Advantage(over=SCRATCH, points=1.04, p=0.21)]
    said = recommendation(choice("fine-tune backbone.keras up to pool", unclear), CURVE, NAMES)
    assert said.endswith("It is not shown to be better than scratch (1.0 points, p 0.21).")


def test_no_source_is_worth_it() -> None:
    said = recommendation(choice(LOGISTIC, [Advantage(over=MAJORITY, points=40.0, p=0.001)]), CURVE, NAMES)
    assert said.startswith("Logistic regression on the pixels: 93.1 % expected")
    assert said.endswith("No source beats it by more than one standard error.")


def test_nothing_was_learned() -> None:
    said = recommendation(choice(MAJORITY, []), CURVE, NAMES)
    assert said.endswith(
        "Nothing that was tried is shown to tell cat and dog apart: more labels, or another source, are needed."
    )


def test_what_the_test_images_say() -> None:
    assert said_by_test_images(None).startswith("There are no test images")
    assert "On the 2,000 test images" in said_by_test_images({"accuracy": 0.9415, "images": 2000})
