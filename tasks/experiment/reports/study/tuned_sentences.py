"""What the tuned arms answer, in sentences: the study's opening one, and one or two for each question."""

from collections.abc import Sequence

from tasks.experiment.reports.phrases import count, listed, lower, lower_by, percent, points, rounded, share
from tasks.experiment.reports.sentences import HARDER, claim_on_transfer
from tasks.experiment.results.class_pairs import ClassPairs
from tasks.experiment.results.comparisons import Comparison
from tasks.experiment.results.compute import AtSteps
from tasks.experiment.results.decomposition import Decomposition, Step
from tasks.experiment.results.statistics.basics import Interval
from tasks.experiment.results.statistics.differences import Difference
from tasks.experiment.results.statistics.verdicts import Claim
from tasks.experiment.results.study import Study
from tasks.experiment.results.tuned import FewLabels, NotebookGain, Tuned, TunedBudgets

COMPARED = {  # an arm without words has its name
    "S*": "tuned scratch",
    "STAT*": "random layers with the means and standard deviations of A's",
    "RLAB*": "a body that was trained on permuted labels",
}
SELF_CHECK: dict[Claim, str] = {
    "helps": "so tuned scratch could still have gained from more training",
    "hurts": "so tuned scratch had nothing to gain from more training",
    "can't tell": "so nothing shows that tuned scratch had not converged",
    "too small to matter": "which is too small to matter: tuned scratch had converged",
}


def tuned_answer(study: Study) -> str:
    """What the notebook's recipe gives, why, what remains of it, and from how few labels on transfer pays."""
    tuned = study["tuned"]
    gain = tuned["notebook_gain"]
    faultless = study["help"]["error_reduction"]["estimate"] is None
    remedy = [HARDER] if faultless else []
    return " ".join([_notebook(study["help"], gain), remains(gain), pays(tuned["budgets"]), *remedy])


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


def _notebook(by_notebook: Comparison, gain: NotebookGain) -> str:
    scratch, transfer = (
        [f"{100 * (1 - arm[name]):.1f} %" for name in ("accuracy", "baseline_accuracy")] for arm in gain["training"]
    )
    why = ", but that recipe ends before training has finished" if gain["training"][0]["verdict"] == "helps" else ""
    return (
        f"By the notebook's recipe, {_claim(by_notebook)}{why}. Tuned, scratch has a test error of {scratch[0]} "
        f"instead of {scratch[1]}, and transfer one of {transfer[0]} instead of {transfer[1]}."
    )


def remains(gain: NotebookGain) -> str:
    """Does transfer help with both sides tuned, and how much of the notebook's gain is that?"""
    notebook, left = gain["notebook"], gain["remains"]
    said, whole = f"With both sides tuned, {_claim(left)}", rounded(notebook["points"]["estimate"])
    if notebook["verdict"] != "helps":
        return f"{said}."
    return f"{said}; what remains of the notebook's {whole} points of test error is {points(left['points'])}."


def goes(gain: NotebookGain) -> str:
    """How much of the notebook's gain goes when both sides are trained well."""
    scratch, transfer = (points(each["points"]) for each in gain["training"])
    said = f"Tuning takes {scratch} points off scratch's test error and {transfer} off transfer's."
    if gain["notebook"]["verdict"] != "helps":
        return said
    part = f", {share(gain['goes_share'])} of them" if gain["goes_share"] else ""
    return (
        f"{said} So {points(gain['goes'])} of the notebook's {points(gain['notebook']['points'])} points go{part}, and "
        f"{points(gain['remains']['points'])} remain."
    )


def price(found: FewLabels) -> str:
    """What it costs to choose a recipe without validation images."""
    scratch, transfer = (points(each["points"]) for each in found["price"])
    return (
        "A recipe chosen by cross-validation of the training labels, instead of on the validation images, costs "
        f"scratch {scratch} points and transfer {transfer}. Where both are chosen on the validation images: "
        f"{_claim(found['remains'])}."
    )


def self_check(own: Difference) -> str:
    """Had tuned scratch converged?"""
    return (
        "Self-transfer starts from the hidden layers of tuned scratch, so it is scratch trained for longer. Its test "
        f"error is {lower_by(own['points'])}, {SELF_CHECK[own['verdict']]}."
    )


def sequence(steps: Sequence[Step]) -> str:
    """What the fixed sequence of tests claims."""
    names = [COMPARED.get(step["before"], step["before"]) for step in steps]
    better = [step["before"] for step in steps if step["reached"] and step["verdict"] == "helps"]
    rest = names[len(better) :]
    if not better:
        return f"The first test, tuned transfer against {rest[0]}, claims no gain, and so the sequence ends there."
    shown = f"Tuned transfer is better than {listed(names[: len(better)])}"
    return f"{shown}; that it is better than {rest[0]} is not shown." if rest else f"{shown}."


def consists(found: Decomposition) -> str:
    """The parts of a gain, to follow whose they are."""
    parts = []
    for part in found["parts"]:
        of_total = f" ({part['share']['estimate']:.0f} %)" if part["share"] else ""
        parts.append(f"{rounded(part['points']['estimate'])}{of_total} from A's {part['part']}")
    why = "" if all(part["share"] for part in found["parts"]) else " There are no shares, since the total may be zero."
    return f"{rounded(found['total']['points']['estimate'])} points in all: {listed(parts)}.{why}"


def pays(budgets: TunedBudgets) -> str:
    """From how few labels on transfer helps, both sides tuned."""
    tried = [point["samples"] for point in budgets["curve"]]
    helps, hurts = (
        [point["samples"] for point in budgets["curve"] if point["verdict"] == verdict]
        for verdict in ("helps", "hurts")
    )
    ends = f"from {tried[0]:,} to {tried[-1]:,}"
    if not helps:
        said = f"At none of the {len(tried)} numbers of labelled images {ends} do these runs show that transfer helps"
    elif helps == tried:
        said = f"Transfer helps at each of the {len(tried)} numbers of labelled images {ends}"
    elif helps == tried[: len(helps)]:
        beyond = f"from {tried[len(helps)]:,} on these runs do not show that it does"
        said = f"Transfer helps with {_few(helps)} labelled images; {beyond}"
    else:
        some = listed([f"{n:,}" for n in helps])
        said = f"Transfer helps with {some} labelled images, of the {len(tried)} numbers {ends} that were tried"
    return said + (f"; it hurts with {listed([f'{n:,}' for n in hurts])}." if hurts else ".")


def worths(budgets: TunedBudgets) -> str | None:
    """What transfer's labels are worth where it helps; None if it helps nowhere."""
    each = [f"{worth['samples']:,} are worth {count(worth)}" for worth in budgets["worth"]]
    return f"In labels from scratch, both sides tuned: {listed(each)}." if each else None


def over_classes(found: ClassPairs) -> str:
    """One answer over all pairs of classes."""
    return (
        f"Over all {len(found['single'])} pairs of classes, each counting alike, {_claim(found)}. The mean test error "
        f"is {found['scratch_error']:.2f} % from scratch and {found['transfer_error']:.2f} % by transfer. The "
        f"probability of improvement is {share(found['probability_of_improvement'])}: so often transfer is the better "
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
    said = lower(claim_on_transfer(found["verdict"], found["error_reduction"]))
    return f"{said}: error reduction {_reduction(found['error_reduction'])}"


def _reduction(result: Interval) -> str:
    return "unknown, since scratch made no test error" if result["estimate"] is None else percent(result)


def _few(numbers: Sequence[int]) -> str:
    return f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
