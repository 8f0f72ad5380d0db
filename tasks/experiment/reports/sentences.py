"""Results in one sentence, which claims no more than the numbers do."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.experiment.reports.phrases import capital, count, lower, percent, share, with_confidence
from tasks.experiment.results.comparisons import ArmComparisons
from tasks.experiment.results.convergence import Convergence
from tasks.experiment.results.pairs import Results
from tasks.experiment.results.statistics.basics import Interval
from tasks.experiment.results.statistics.verdicts import Claim
from tasks.experiment.results.study import Study
from tasks.experiment.study.arms import SELF_TRANSFER

NAMED = 5  # more classes than that are counted

FAULTLESS = "Training from scratch made no test error at all"
HARDER = "Give target_classes that are harder to tell apart, or fewer target_samples."
TUNED = "Both sides were tuned: learning rate and epochs by cross-validation inside the labelled images."


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


def answer(results: Results) -> str:
    """A run's error reduction in a sentence or two, which claim a direction only if the rule for claims does."""
    result, claim = results["error_reduction"], results["claim"]
    if result["estimate"] is None:
        return f"{FAULTLESS}: there is nothing to reduce. {HARDER}"
    verb = "changed" if round(result["estimate"], 1) == 0 else "cut" if result["estimate"] > 0 else "raised"
    change = f"{verb} the test error by {abs(result['estimate']):.1f} %"
    pairs = f"{result['n']} pairs of runs" if result["n"] > 1 else "a single pair of runs"
    advice = f" {capital(results['advice'])}" if results["advice"] else ""
    if result["low"] is None or result["high"] is None:
        return f"Transfer {change} in {pairs}: no interval, no claim.{advice}"
    how = f"({with_confidence(result)}, {pairs}, {result['method']})"
    if claim == "can't tell":
        return f"These runs can't tell whether transfer helps: it {change} {how}.{advice}"
    if claim == "too small to matter":
        return f"What transfer changes is too small to matter: it {change} {how}."
    return f"Transfer {change} {how}."


def not_converged(found: Convergence) -> str | None:
    """That training stopped too early, and what to try; None if it did not."""
    by = " and ".join(f"{found['fall'][arm]:.1f} % ({arm})" for arm in found["still_falling"])
    if not by:
        return None
    rate = found["learning_rate"]
    advice = f"try learning_rate {rate:g} or more epochs" if rate else "try more epochs"
    advice += ", or tuning cv, which chooses both"
    lowered = f"the last quarter of the epochs still lowered the validation loss by {by}"
    return f"Training has not converged: {lowered}; {advice}."


def diverged_among(networks: int, diverged: int) -> str | None:
    """A caution beside a claim, whose interval is too narrow where one arm's runs diverge (DECISIONS.md, "Claims")."""
    if not diverged:
        return None
    return f"Caution: {diverged} of these {networks} networks diverged, and where some do, intervals can be too narrow."


def again(results: Results) -> str | None:
    """What the two intervals answer, in one sentence; None if there is no interval."""
    same, new = results["error_reduction"], results["new_images"]
    if new is None or new["low"] is None or same["low"] is None:
        return None
    return (
        f"The {100 * same['confidence']:.0f} % interval answers what new seeds would give on the same test images. "
        f"With new seeds and new test images it is {new['low']:.1f} … {new['high']:.1f} %."
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
    claim = claim_on_transfer(transfer["verdict"], result)
    if result["estimate"] is None:
        return f"{claim}: {lower(FAULTLESS)}. {HARDER}"
    worth = f"{labels['at']:,} images with transfer are worth {count(labels['equivalent'])} from scratch"
    sentence = f"{claim}: error reduction {percent(result)}; {worth}"
    return sentence + (f"; {_part_of_A(study['arms'])}." if transfer["verdict"] == "helps" else ".")


def claim_on_transfer(verdict: Claim, result: Interval) -> str:
    """To begin a sentence."""
    return WORDINGS[verdict].transfer.format(pairs=f"{result['n']} pairs" if result["n"] > 1 else "1 pair")


def _part_of_A(arms: ArmComparisons) -> str:
    own = next(arm for arm in arms["against_scratch"] if arm["arm"] == SELF_TRANSFER)
    against_own = next(arm for arm in arms["transfer_against"] if arm["arm"] == SELF_TRANSFER)
    claim, reached = WORDINGS[against_own["verdict"]].source, arms["self_share"]
    sentence = f"{claim}: self-transfer, the same without A, comes to {percent(own['error_reduction'])}"
    if reached is None or reached["low"] is None:
        return sentence
    return f"{sentence}, {share(reached)} of transfer's gain"
