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
from tasks.experiment.results.tuned import FewLabels, NotebookGain, TunedBudgets
from tasks.experiment.results.verdicts import Claim

PARTS = {
    "scale": "the scale of A's weights",
    "inputs": "A's inputs",
    "labels": "A's labels",
    "scale and inputs": "A's weights and inputs",
    "inputs and labels": "A's inputs and labels",
    "scale and inputs and labels": "A",
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


def _notebook(help: Comparison, gain: NotebookGain) -> str:
    scratch, transfer = gain["training"]
    by = f"By the notebook's recipe {_lower(claim_on_transfer(help['verdict'], help['error_reduction']))}"
    why = "That recipe ends before training has finished: tuned" if scratch["verdict"] == "helps" else "Tuned"
    return (
        f"{by}: error reduction {_reduction(help['error_reduction'])}. {why}, scratch errs on {_error(scratch)}, and "
        f"transfer on {_error(transfer)}."
    )


def remains(gain: NotebookGain) -> str:
    """Does transfer help with both sides tuned, and how much of the notebook's gain is that?"""
    left, points = gain["remains"], gain["notebook"]["points"]["estimate"]
    part = f"; of the notebook's {points:.2f} points {_points(left['points'])} remain" if points else ""
    return f"{_both_tuned(left)}{part if gain['notebook']['verdict'] == 'helps' else ''}."


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
        "Self-transfer starts from the hidden layers of tuned scratch, so it is scratch trained for longer. It is "
        f"{_points(own['points'])} points below scratch ({own['verdict']}), {SELF_CHECK[own['verdict']]}."
    )


def sequence(steps: Sequence[Step], says: dict[str, str]) -> str:
    """What the fixed sequence of tests claims. says: what the arms start from."""
    claimed = [step["before"] for step in steps if step["reached"] and step["verdict"] == "helps"]
    names = [f"{arm} ({says[arm]})" for arm in (step["before"] for step in steps)]
    better, rest = names[: len(claimed)], names[len(claimed) :]
    order = f"In this order, each at 5 % and only if all before it claimed a gain: T* against {_list(names, 'then')}."
    if not better:
        return f"{order} The first test claims no gain, so the sequence ends there."
    if not rest:
        return f"{order} T* is better than each of them."
    return f"{order} T* is better than {_list(better, 'and')}; that it is better than {rest[0]} is not shown."


def consists(found: Decomposition, of: str) -> str:
    """The parts of a gain. of: whose, to begin a sentence."""
    total = found["total"]["points"]
    parts = [
        f"{_points(part['points'])}{f', {_share(part["share"])},' if part['share'] else ''} from {PARTS[part['part']]}"
        for part in found["parts"]
    ]
    whole = "" if all(part["share"] for part in found["parts"]) else " No shares are given: the total may be zero."
    return f"{of} {_points(total)} points are {_list(parts, 'and')}.{whole}"


def pays(budgets: TunedBudgets) -> str:
    """From how few labels on transfer helps, both sides tuned."""
    tried = [point["samples"] for point in budgets["curve"]]
    helps, hurts = (
        [point["samples"] for point in budgets["curve"] if point["verdict"] == verdict]
        for verdict in ("helps", "hurts")
    )
    ends = f"of the {len(tried)} numbers of labelled images from {tried[0]:,} to {tried[-1]:,}"
    if not helps:
        said = f"At none {ends} do these runs show that it helps"
    elif helps == tried:
        said = f"It helps at each {ends}"
    elif helps == tried[: len(helps)]:
        said = f"It helps with {_few(helps)} labelled images; from {tried[len(helps)]:,} on these runs do not show that"
    else:
        said = f"It helps with {_list([f'{n:,}' for n in helps], 'and')} labelled images, {ends}"
    return said + (f"; it hurts with {_list([f'{n:,}' for n in hurts], 'and')}." if hurts else ".")


def worths(budgets: TunedBudgets) -> str | None:
    """What transfer's labels are worth where it helps; None if it helps nowhere."""
    each = [f"{worth['samples']:,} are worth {count(worth)}" for worth in budgets["worth"]]
    return f"In labels from scratch, both sides tuned: {_list(each, 'and')}." if each else None


def over_classes(found: ClassPairs) -> str:
    """One answer over all pairs of classes."""
    result, better = found["error_reduction"], found["probability_of_improvement"]
    return (
        f"Over all {len(found['single'])} pairs of classes, each counting alike, the mean test error is "
        f"{found['scratch_error']:.2f} % from scratch and {found['transfer_error']:.2f} % by transfer: error reduction "
        f"{percent(result)}, verdict *{found['verdict']}*. The probability of improvement is {_share(better)}: so often "
        "transfer is the better one, for a pair of classes and a seed at random."
    )


def equal_steps(rows: Sequence[AtSteps]) -> list[str]:
    """Transfer against scratch after as many steps, one sentence for each."""
    return [
        f"{'With' if row['source_counted'] else 'Without'} the steps of A, {row['after']} takes {row['steps']:,} steps. "
        f"S* after as many errs {_points(row['points'])} points more ({row['verdict']})."
        for row in rows
    ]


def _both_tuned(left: Difference) -> str:
    return f"With both sides tuned {_claim(left)}"


def _claim(found: Comparison) -> str:
    said = _lower(claim_on_transfer(found["verdict"], found["error_reduction"]))
    return f"{said}: error reduction {_reduction(found['error_reduction'])}"


def _reduction(result: Interval) -> str:
    return "unknown, since scratch made no test error" if result["estimate"] is None else percent(result)


def _error(training: Difference) -> str:
    after, before = (100 * (1 - accuracy) for accuracy in (training["accuracy"], training["baseline_accuracy"]))
    return f"{after:.1f} % of the test images instead of {before:.1f} %"


def _points(result: Interval) -> str:
    """Two decimals, and no minus before a zero."""
    known = [value for value in (result["estimate"], result["low"], result["high"]) if value is not None]
    estimate, *ends = [f"{round(value, 2) + 0:.2f}" for value in known]
    return f"{estimate} ({' … '.join(ends)})" if ends else estimate


def _share(result: Interval) -> str:
    ends = "" if result["low"] is None else f" ({result['low']:.0f} … {result['high']:.0f})"
    return f"{result['estimate']:.0f} %{ends}"


def _few(numbers: Sequence[int]) -> str:
    return f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"


def _list(parts: Sequence[str], last: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
