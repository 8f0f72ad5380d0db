"""Results in one sentence, which claims no more than the numbers do."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.experiment.results.budgets import EquivalentBudget
from tasks.experiment.results.comparisons import ArmComparisons, Study
from tasks.experiment.results.statistics import Interval
from tasks.experiment.results.verdicts import Claim
from tasks.experiment.study.arms import SELF_TRANSFER

NAMED = 5  # more classes than that are counted


@dataclass(frozen=True)
class Wording:
    """Of a claim: on transfer, to begin a sentence ({pairs}: how many there are); on A's part in it, to end one."""

    transfer: str
    source: str


WORDINGS: dict[Claim, Wording] = {
    "helps": Wording("Transfer helps", "and it is A that helps"),
    "hurts": Wording("Transfer hurts", "but it is not A that helps"),
    "can't tell": Wording(
        "{pairs} of runs can't tell whether transfer helps", "but these runs can't tell whether it is A that helps"
    ),
    "too small to matter": Wording("What transfer changes is too small to matter", "but it is not A that helps"),
}


def answer(result: Interval) -> str:
    """A run's error reduction in one sentence, which claims a direction only if the interval does."""
    estimate, low, high = result["estimate"], result["low"], result["high"]
    if estimate is None:
        return "Training from scratch made no test error at all: there is nothing to reduce."
    if low is None or high is None:
        verb = "cut" if estimate >= 0 else "raised"
        return (
            f"Transfer {verb} the test error by {abs(estimate):.1f} % in a single pair of runs: no interval, no claim."
        )
    how = f"{result['n']} pairs of runs, {result['method']}"
    percent = f"{100 * result['confidence']:.0f} % interval"
    if low > 0:
        return f"Transfer cut the test error by {estimate:.1f} % ({percent} {low:.1f} … {high:.1f} %, {how})."
    if high < 0:
        return f"Transfer raised the test error by {-estimate:.1f} % ({percent} {-high:.1f} … {-low:.1f} %, {how})."
    return (
        "These runs can't tell whether transfer helps: it cut the test error by "
        f"{estimate:.1f} % ({percent} {low:.1f} … {high:.1f} %, {how})."
    )


def distinction(classes: Sequence[str]) -> str:
    """What task B is, to follow "to tell"."""
    if len(classes) == 2:
        return f"{classes[0]} from {classes[1]}"
    if len(classes) > NAMED:
        return f"{len(classes)} classes apart"
    return f"{', '.join(classes[:-1])} and {classes[-1]} apart"


def study_answer(study: Study) -> str:
    """The study's result in one sentence: its verdict, the error reduction, its worth in labels, and A's part in it."""
    transfer, result, labels = study["help"], study["help"]["error_reduction"], study["labels"]
    pairs = f"{result['n']} pairs" if result["n"] > 1 else "1 pair"
    claim = WORDINGS[transfer["verdict"]].transfer.format(pairs=pairs)
    if result["estimate"] is None:
        return f"{claim}: training from scratch made no test error at all."
    worth = f"{labels['at']:,} images with transfer are worth {_count(labels['equivalent'])} from scratch"
    sentence = f"{claim}: error reduction {_percent(result)}; {worth}"
    return sentence + (f"; {_part_of_A(study['arms'])}." if transfer["verdict"] == "helps" else ".")


def _part_of_A(arms: ArmComparisons) -> str:
    own = next(arm for arm in arms["against_scratch"] if arm["arm"] == SELF_TRANSFER)
    against_own = next(arm for arm in arms["transfer_against"] if arm["arm"] == SELF_TRANSFER)
    claim = WORDINGS[against_own["verdict"]].source
    return f"{claim}: self-transfer, the same without A, comes to {_percent(own['error_reduction'])}"


def _percent(result: Interval) -> str:
    if result["low"] is None:
        return f"{result['estimate']:.1f} % (a single pair, no interval)"
    interval = f"{result['low']:.1f} … {result['high']:.1f} %"
    return f"{result['estimate']:.1f} % ({100 * result['confidence']:.0f} % interval {interval}, {result['n']} pairs)"


def _count(equal: EquivalentBudget) -> str:
    """A number of images with its interval; the ends of the budgets are open."""

    def images(n: float) -> str:
        if n <= equal["smallest"]:
            return f"{equal['smallest']:,} or fewer"
        return f"{equal['largest']:,} or more" if n >= equal["largest"] else f"{n:,.0f}"

    if equal["low"] is None or equal["high"] is None:
        return images(equal["estimate"])
    return f"{images(equal['estimate'])} ({images(equal['low'])} … {images(equal['high'])})"
