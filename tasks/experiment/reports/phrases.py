"""Numbers as parts of sentences."""

from collections.abc import Sequence

from tasks.experiment.results.budgets import EquivalentBudget
from tasks.experiment.results.statistics.basics import Interval
from tasks.experiment.scores import Metric

SCORES: dict[Metric, str] = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "roc_auc": "ROC AUC"}
ON_TEST_IMAGES: dict[Metric, tuple[str, str]] = {
    "accuracy": ("test accuracy", "test error"),
    "balanced_accuracy": ("balanced test accuracy", "balanced test error"),
    "roc_auc": ("test ROC AUC", "test error (1 − ROC AUC)"),
}


def by_metric(text: str, metric: Metric) -> str:
    """A text that speaks of the test error and of test accuracy, as all texts do, in the words of this metric."""
    for words, others in zip(ON_TEST_IMAGES["accuracy"], ON_TEST_IMAGES[metric], strict=True):
        text = text.replace(words, others).replace(capital(words), capital(others))
    return text


def percent(result: Interval) -> str:
    """With its interval and the number of pairs."""
    pairs = "1 pair" if result["n"] == 1 else f"{result['n']} pairs"
    how = f"{pairs}, no interval" if result["low"] is None else f"{with_confidence(result)}, {pairs}"
    return f"{rounded(result['estimate'], 1)} % ({how})"


def count(equal: EquivalentBudget) -> str:
    """A number of images with its interval; the ends of the budgets are open."""

    def images(n: float) -> str:
        n = round(n)  # an end of the budgets was found through its logarithm
        if n <= equal["smallest"]:
            return f"{equal['smallest']:,} or fewer"
        return f"{equal['largest']:,} or more" if n >= equal["largest"] else f"{n:,}"

    estimate = images(equal["estimate"])
    if equal["low"] is None or equal["high"] is None:
        return estimate
    low, high = images(equal["low"]), images(equal["high"])
    return estimate if low == high else f"{estimate} ({low} … {high})"


def with_confidence(result: Interval) -> str:
    return f"{100 * result['confidence']:.0f} % interval {result['low']:.1f} … {result['high']:.1f} %"


def points(result: Interval) -> str:
    """Points of the test error, with their interval."""
    estimate, low, high = (rounded(value) for value in (result["estimate"], result["low"], result["high"]))
    return estimate if result["low"] is None else f"{estimate} ({low} … {high})"


def lower_by(result: Interval) -> str:
    """So many points lower; or higher, if they are below zero."""
    if (result["estimate"] or 0) >= 0:
        return f"{points(result)} points lower"
    estimate, low, high = (None if end is None else -end for end in (result["estimate"], result["high"], result["low"]))
    return f"{points(result | {'estimate': estimate, 'low': low, 'high': high})} points higher"


def rounded(value: float | None, decimals: int = 2) -> str:
    """With no minus before a zero."""
    return "–" if value is None else f"{round(value, decimals) + 0:.{decimals}f}"


def share(result: Interval) -> str:
    """In whole percents, with its interval."""
    ends = "" if result["low"] is None else f" ({result['low']:.0f} … {result['high']:.0f})"
    return f"{result['estimate']:.0f} %{ends}"


def listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
