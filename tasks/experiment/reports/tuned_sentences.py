"""What the tuned arms answer, in sentences: the study's opening one, and one or two for each question."""

from collections.abc import Sequence

from tasks.experiment.reports.sentences import claim_on_transfer, count, percent
from tasks.experiment.results.class_pairs import ClassPairs
from tasks.experiment.results.comparisons import Comparison
from tasks.experiment.results.compute import AtSteps
from tasks.experiment.results.decomposition import Decomposition, Step
from tasks.experiment.results.differences import Difference
from tasks.experiment.results.statistics import Interval
from tasks.experiment.results.study import Study
from tasks.experiment.results.tuned import FewLabels, NotebookGain, Tuned, TunedBudgets
from tasks.experiment.results.verdicts import Claim

PARTS = {
    "scale": "the scale of A's weights",
    "inputs": "A's inputs",
    "labels": "A's labels",
    "scale and inputs": "A's weights and inputs",
    "inputs and labels": "A's inputs and labels",
    "scale and inputs and labels": "A",
}
COMPARED = {
    "S*": "tuned scratch",
    "STAT*": "random layers with the means and standard deviations of A's",
    "RLAB*": "a body that was trained on permuted labels",
}
SELF_CHECK: dict[Claim, str] = {
    "helps": "so tuned scratch could still have gained from more training",
    "hurts": "so tuned scratch had nothing to gain from more training",
    "can't tell": "so nothing shows that tuned scratch had not converged",
    "too small to matter": "so tuned scratch had converged",
}


def tuned_answer(study: Study) -> str:
    """What the notebook's recipe gives, why, what remains of it, and from how few labels on transfer pays."""
    tuned = study["tuned"]
    gain = tuned["notebook_gain"]
    return " ".join([_notebook(study["help"], gain), remains(gain), pays(tuned["budgets"])])


def tuned_sentences(tuned: Tuned) -> dict[str, str | None]:
    """By what page.tuned.md.j2 calls them."""
    gain, decomposition = tuned["notebook_gain"], tuned["decomposition"]
    own = next((each for each in tuned["against_scratch"] if each["after"] == "SELF*"), None)
    return {
        "remains": remains(gain),
        "goes": goes(gain),
        "self_check": self_check(own) if own else None,
        "price": price(tuned["few_labels"]) if "few_labels" in tuned else None,
        "tuned_parts": consists(decomposition["tuned"]),
        "notebook_parts": consists(decomposition["notebook"]),
        "sequence": sequence(tuned["sequence"]),
        "pays": pays(tuned["budgets"]),
        "worths": worths(tuned["budgets"]),
        "over_classes": over_classes(tuned["classes"]) if "classes" in tuned else None,
        "equal_steps": equal_steps(tuned["compute"]),
    }


def _notebook(help: Comparison, gain: NotebookGain) -> str:
    scratch, transfer = ([_error(accuracy) for accuracy in _before_and_after(each)] for each in gain["training"])
    why = ", but that recipe ends before training has finished" if gain["training"][0]["verdict"] == "helps" else ""
    return (
        f"By the notebook's recipe, {_claim(help)}{why}. Tuned, scratch errs on {scratch[1]} of the test images instead "
        f"of {scratch[0]}, and transfer on {transfer[1]} instead of {transfer[0]}."
    )


def remains(gain: NotebookGain) -> str:
    """Does transfer help with both sides tuned, and how much of the notebook's gain is that?"""
    notebook, left = gain["notebook"], gain["remains"]
    part = f"; what remains of the notebook's {notebook['points']['estimate']:.2f} points is {_points(left['points'])}"
    return f"With both sides tuned, {_claim(left)}{part if notebook['verdict'] == 'helps' else ''}."


def goes(gain: NotebookGain) -> str:
    """How much of the notebook's gain goes when both sides are trained well."""
    scratch, transfer = (_points(each["points"]) for each in gain["training"])
    share = gain["goes_share"]
    part = f", {_share(share)} of them," if share else ""
    return (
        f"Tuning takes {scratch} points off scratch's test error and {transfer} off transfer's. So of the notebook's "
        f"{_points(gain['notebook']['points'])} points {_points(gain['goes'])}{part} go, and "
        f"{_points(gain['remains']['points'])} remain."
    )


def price(found: FewLabels) -> str:
    """What it costs to choose a recipe without validation images."""
    scratch, transfer = (_points(each["points"]) for each in found["price"])
    return (
        "A recipe chosen by cross-validation of the training labels, instead of on the validation images, costs "
        f"scratch {scratch} points and transfer {transfer}. Where both are chosen on the validation images: "
        f"{_claim(found['remains'])}."
    )


def self_check(own: Difference) -> str:
    """Had tuned scratch converged?"""
    return (
        "Self-transfer starts from the hidden layers of tuned scratch, so it is scratch trained for longer. That "
        f"lowers the test error by {_points(own['points'])} points, {SELF_CHECK[own['verdict']]}."
    )


def sequence(steps: Sequence[Step]) -> str:
    """What the fixed sequence of tests claims."""
    names = [COMPARED[step["before"]] for step in steps]
    better = [step["before"] for step in steps if step["reached"] and step["verdict"] == "helps"]
    rest = names[len(better) :]
    if not better:
        return f"The first test, tuned transfer against {rest[0]}, claims no gain, and so the sequence ends there."
    shown = f"Tuned transfer is better than {_list(names[: len(better)], 'and')}"
    return f"{shown}; that it is better than {rest[0]} is not shown." if rest else f"{shown}."


def consists(found: Decomposition) -> str:
    """The parts of a gain, to follow whose they are."""
    total = found["total"]["points"]["estimate"]
    parts = [
        f"{_round(part['points']['estimate'])}{_of_total(part['share'])} from {PARTS[part['part']]}"
        for part in found["parts"]
    ]
    why = "" if all(part["share"] for part in found["parts"]) else " There are no shares, since the total may be zero."
    return f"{_round(total)} points in all: {_list(parts, 'and')}.{why}"


def _of_total(share: Interval | None) -> str:
    return f" ({share['estimate']:.0f} %)" if share else ""


def pays(budgets: TunedBudgets) -> str:
    """From how few labels on transfer helps, both sides tuned."""
    tried = [point["samples"] for point in budgets["curve"]]
    helps, hurts = (
        [point["samples"] for point in budgets["curve"] if point["verdict"] == verdict]
        for verdict in ("helps", "hurts")
    )
    ends = f"of the {len(tried)} numbers of labelled images from {tried[0]:,} to {tried[-1]:,}"
    if not helps:
        said = f"At none {ends} do these runs show that transfer helps"
    elif helps == tried:
        said = f"Transfer helps at each {ends}"
    elif helps == tried[: len(helps)]:
        beyond = f"from {tried[len(helps)]:,} on these runs do not show that it does"
        said = f"Transfer helps with {_few(helps)} labelled images; {beyond}"
    else:
        said = f"Transfer helps with {_list([f'{n:,}' for n in helps], 'and')} labelled images, {ends}"
    return said + (f"; it hurts with {_list([f'{n:,}' for n in hurts], 'and')}." if hurts else ".")


def worths(budgets: TunedBudgets) -> str | None:
    """What transfer's labels are worth where it helps; None if it helps nowhere."""
    each = [f"{worth['samples']:,} are worth {count(worth)}" for worth in budgets["worth"]]
    return f"In labels from scratch, both sides tuned: {_list(each, 'and')}." if each else None


def over_classes(found: ClassPairs) -> str:
    """One answer over all pairs of classes."""
    return (
        f"Over all {len(found['single'])} pairs of classes, each counting alike, {_claim(found)}. The mean test error "
        f"is {found['scratch_error']:.2f} % from scratch and {found['transfer_error']:.2f} % by transfer. The "
        f"probability of improvement is {_share(found['probability_of_improvement'])}: so often transfer is the better "
        "one, for a pair of classes and a seed at random."
    )


def equal_steps(rows: Sequence[AtSteps]) -> str:
    """Tuned transfer against tuned scratch after as many steps, first without and then with those of A."""
    return " ".join(
        f"{'Together with those of A it' if row['source_counted'] else 'Tuned transfer'} took {row['steps']:,} steps; "
        f"against tuned scratch after as many, {_claim(row)}."
        for row in rows
        if row["after"] == "T*"
    )


def _claim(found: Comparison | ClassPairs) -> str:
    said = _lower(claim_on_transfer(found["verdict"], found["error_reduction"]))
    return f"{said}: error reduction {_reduction(found['error_reduction'])}"


def _reduction(result: Interval) -> str:
    return "unknown, since scratch made no test error" if result["estimate"] is None else percent(result)


def _before_and_after(found: Comparison) -> tuple[float, float]:
    return found["baseline_accuracy"], found["accuracy"]


def _error(accuracy: float) -> str:
    return f"{100 * (1 - accuracy):.1f} %"


def _points(result: Interval) -> str:
    estimate, low, high = (_round(value) for value in (result["estimate"], result["low"], result["high"]))
    return estimate if result["low"] is None else f"{estimate} ({low} … {high})"


def _round(value: float | None) -> str:
    """Two decimals, and no minus before a zero."""
    return "–" if value is None else f"{round(value, 2) + 0:.2f}"


def _share(result: Interval) -> str:
    ends = "" if result["low"] is None else f" ({result['low']:.0f} … {result['high']:.0f})"
    return f"{result['estimate']:.0f} %{ends}"


def _few(numbers: Sequence[int]) -> str:
    return f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"


def _list(parts: Sequence[str], last: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
