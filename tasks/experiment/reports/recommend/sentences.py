"""A recommendation in words."""

from tasks.experiment.recommend.answers import Choice
from tasks.experiment.recommend.curve import Curve
from tasks.experiment.recommend.methods import BASELINES, MAJORITY, SCRATCH
from tasks.experiment.reports.phrases import capital, listed, rounded
from tasks.experiment.results.statistics.basics import ALPHA, Interval

RULE = (
    "the cheapest to run (by its number of weights, then by how simple it is) of all methods whose accuracy is below "
    "the best one's by at most one standard error of the difference"
)


def recommendation(choice: Choice, curve: Curve, class_names: list[str]) -> str:
    """What to do, how good it will be, and what more labels would be worth."""
    chosen, accuracies = choice["chosen"], {each["name"]: each["accuracy"] for each in choice["candidates"]}
    parts = [
        f"{capital(chosen)}: {in_percent(choice['expected'])} expected on new images ({between(choice['expected'])})"
    ]
    parts += [f"{name} {in_percent(accuracies[name])}" for name in (SCRATCH,) if name in accuracies and name != chosen]
    parts.append(f"{curve['more']:,} more labels would be worth about {worth(curve)}")
    return f"{'; '.join(parts)}. {beaten(choice, class_names)}".strip()


def beaten(choice: Choice, class_names: list[str]) -> str:
    """What the recommended method does not beat, said plainly; empty if it beats all that is simpler."""
    chosen = choice["chosen"]
    if chosen == MAJORITY:
        return (
            f"Nothing that was tried is shown to tell {listed(class_names)} apart: more labels, or another source, are "
            "needed."
        )
    others = [each for each in choice["advantages"] if each["p"] >= ALPHA]
    said = []
    if others:
        named = listed([f"{each['over']} ({rounded(each['points'], 1)} points, p {each['p']:.2f})" for each in others])
        said.append(f"It is not shown to be better than {named}.")
    sources = [each for each in choice["candidates"] if each["source"]]
    if chosen in BASELINES and sources:
        said.append("No source beats it by more than one standard error.")
    return " ".join(said)


def said_by_test_images(test: dict[str, object] | None) -> str:
    """What the test images say, of which the choice knew nothing."""
    if not test:
        return "There are no test images: what is expected comes from the labelled images alone."
    accuracy, images = test["accuracy"], test["images"]
    return f"On the {images:,} test images, which played no part in it, the model is right on {100 * accuracy:.1f} %."  # type: ignore[operator]


def in_percent(result: Interval) -> str:
    return f"{rounded(100 * (result['estimate'] or 0), 1)} %"


def between(result: Interval) -> str:
    low, high = (rounded(100 * (end or 0), 1) for end in (result["low"], result["high"]))
    return f"{100 * result['confidence']:.0f} % interval {low} … {high} %"


def worth(curve: Curve) -> str:
    ends = " … ".join(rounded(end, 1) for end in (curve["worth_low"], curve["worth_high"]))
    return f"{rounded(curve['worth'], 1)} points ({ends})"
