"""Runs compared with the first of them: what differs, their answers side by side, and the paired difference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, TypedDict

import numpy as np
from pydantic import ValidationError

from tasks.experiment.reports.metrics import Metrics, errors_of, metric_of
from tasks.experiment.reports.page import plots_of, render
from tasks.experiment.reports.phrases import SCORES, rounded
from tasks.experiment.results.pairs import errors
from tasks.experiment.results.statistics.intervals import FEWEST, difference_interval
from tasks.experiment.settings import Experiment

METHOD = "Student's t of the linearized ratios, seeds paired"

Differing = dict[str, list[Any]]  # by name, a value per run; None: it has none


class Difference(TypedDict):
    """How many points the error reduction of `run` is above that of `against`, over the seeds that both have.

    points: None if there is nothing to compare; low, high: None if there is no interval; why: of either.
    same_networks: bit for bit, over these seeds.
    """

    run: str
    against: str
    seeds: list[int]
    points: float | None
    low: float | None
    high: float | None
    method: str
    why: str | None
    same_networks: bool


class Comparison(TypedDict):
    """runs: what each is and answers. arms: of studies, error reduction in percent against scratch, or test error in
    percent if tuned. left_out: what is not compared; one sentence each.
    """

    runs: list[dict[str, Any]]
    settings: Differing
    versions: Differing
    code: Differing
    data: Differing
    arms: Differing
    differences: list[Difference]
    left_out: list[str]


def compare_runs(runs: Mapping[str, Metrics]) -> Comparison:
    """Two runs or more, by name. Raises KeyError if a version made one that did not say enough."""
    metrics = list(runs.values())
    first, *others = runs
    return Comparison(
        runs=[_summary(name, each) for name, each in runs.items()],
        settings=_differing(metrics, _settings),
        versions=_differing(metrics, lambda each: each["environment"]),
        code=_differing(metrics, lambda each: each["code"]),
        data=_differing(metrics, _data),
        arms=dict(_arms(metrics)),
        differences=[_difference(first, other, runs[first], runs[other]) for other in others],
        left_out=list(_left_out(runs)),
    )


def comparison_page(comparison: Comparison, captions: Mapping[str, str] = MappingProxyType({})) -> str:
    """As Markdown. captions: of the plots that are in the folder plots/ beside it, by name."""
    said = [difference_sentence(each) for each in comparison["differences"]]
    plots = plots_of(captions)
    return render("comparison.runs.md.j2", compared=comparison, said=said, plots=plots, fewest=FEWEST, method=METHOD)


def difference_sentence(found: Difference) -> str:
    """One comparison with the first run."""
    names = f"{found['run']} against {found['against']}"
    if found["points"] is None:
        return f"{names}: no difference of error reductions, since {found['why']}."
    seeds = f"{len(found['seeds'])} seeds paired" if len(found["seeds"]) > 1 else "1 seed"
    if found["same_networks"]:
        return f"{names}: the same networks, bit for bit ({seeds})."
    side = "higher" if found["points"] >= 0 else "lower"
    said = f"{names}: error reduction {rounded(abs(found['points']), 1)} points {side}"
    if found["low"] is None or found["high"] is None:
        return f"{said} ({seeds}; no interval: {found['why']})."
    ends = sorted(abs(end) if found["low"] * found["high"] > 0 else end for end in (found["low"], found["high"]))
    if found["low"] * found["high"] > 0:
        return f"{said} (95 % interval {rounded(ends[0], 1)} … {rounded(ends[1], 1)}, {seeds})."
    bounds = f"{rounded(found['low'], 1)} … {rounded(found['high'], 1)}"
    return f"{said}, which these seeds can't tell from none (95 % interval of the difference {bounds}, {seeds})."


def _summary(name: str, metrics: Metrics) -> dict[str, Any]:
    scratch, transfer = errors_of(metrics)
    run = metrics.get("run") or {"date": None, "commit": None, "changed": None, "command": None}
    verdict = metrics.get("verdict")
    return {
        "name": name, "flow": _flow(metrics), **{key: run[key] for key in ("date", "commit", "changed", "command")},
        "answer": metrics["answer"], "pairs": len(scratch), "wins": metrics["pairs"]["wins"],
        "scratch_error": float(scratch.mean()), "transfer_error": float(transfer.mean()),
        "error_reduction": metrics["error_reduction"], "claim": metrics["claim"],
        "verdict": verdict and verdict["name"],
    }  # fmt: skip


def _flow(metrics: Metrics) -> str:
    return "transfer-study" if "study" in metrics else "transfer-learning"


def _differing(metrics: Sequence[Metrics], of_each: Callable[[Metrics], Mapping[str, Any]]) -> Differing:
    """What is not the same in all."""
    found = [of_each(each) for each in metrics]
    names = sorted({name for values in found for name in values})
    rows = {name: [values.get(name) for values in found] for name in names}
    return {name: values for name, values in rows.items() if any(value != values[0] for value in values)}


def _settings(metrics: Metrics) -> dict[str, Any]:
    """The experiment's, where an earlier version knew less with its defaults, and the flow's."""
    experiment = metrics["experiment"]
    with suppress(ValidationError):  # of another version
        experiment = Experiment.model_validate(experiment).model_dump(mode="json")
    seeds = [pair["seed"] for pair in metrics["replicates"]]
    return experiment | {
        "target_classes": list(metrics["data"]["target_classes"]),  # they may be given by number
        "seeds": f"{seeds[0]} … {seeds[-1]}" if len(seeds) > 1 else str(seeds[0]),
        "flow": _flow(metrics),
        "resample_target": metrics.get("resample_target"),
    }


def _data(metrics: Metrics) -> dict[str, Any]:
    images = metrics["data"]["images"]
    counts = {f"{part} images of task {task}": images[task][part] for task in images for part in images[task]}
    return counts | {"image shape": list(metrics["data"]["image_shape"])}


def _arms(metrics: Sequence[Metrics]) -> Iterator[tuple[str, list[Any]]]:
    """Of two studies or more; (low, high) belong to the estimate."""
    if sum("study" in each for each in metrics) < 2:
        return
    found: list[dict[str, Any]] = []
    for each in metrics:
        study: Any = each.get("study", {"arms": {"against_scratch": []}})
        rows = {f"{row['arm']}: error reduction": row["error_reduction"] for row in study["arms"]["against_scratch"]}
        tuned = study.get("tuned", {"arms": []})
        found.append(rows | {f"{row['arm']}: test error": row["error"] for row in tuned["arms"]})
    for name in dict.fromkeys(name for rows in found for name in rows):
        yield name, [rows.get(name) for rows in found]


def _difference(first: str, other: str, before: Metrics, after: Metrics) -> Difference:
    by_seed = [{pair["seed"]: pair for pair in metrics["replicates"]} for metrics in (before, after)]
    seeds = [seed for seed in by_seed[0] if seed in by_seed[1]]
    pairs = [[each[seed] for seed in seeds] for each in by_seed]
    weights = [[pair.get("weights") for pair in of_one] for of_one in pairs]
    found = Difference(
        run=other, against=first, seeds=seeds, points=None, low=None, high=None, method=METHOD, why=None,
        same_networks=bool(seeds) and None not in weights[0] and weights[0] == weights[1],
    )  # fmt: skip
    if not seeds:
        return found | {"why": "they have no seed in common"}
    if metric_of(before) != metric_of(after):
        return found | {"why": f"one measures {SCORES[metric_of(before)]} and the other {SCORES[metric_of(after)]}"}
    both = errors(pairs[0], metric_of(before)), errors(pairs[1], metric_of(after))
    for name, (scratch, _) in zip((first, other), both, strict=True):
        if not scratch.mean():
            return found | {"why": f"training from scratch made no test error in {name}"}
    points, low, high = (float(value) for value in difference_interval(both[0], both[1]))
    if not np.isfinite(low):
        return found | {"points": points, "why": f"it takes {FEWEST} seeds that both have"}
    return found | {"points": points, "low": low, "high": high}


def _left_out(runs: Mapping[str, Metrics]) -> Iterator[str]:
    studies = [name for name, metrics in runs.items() if "study" in metrics]
    if studies:
        yield (
            "Of a study, the paired difference is that of its pairs of scratch and transfer by the notebook's recipe; "
            "a difference between other arms, seed by seed, takes the rows of both runs.parquet."
        )
        yield "What a study says about numbers of labelled images, pixels and pairs of classes is not compared."
    if len(studies) == 1:
        yield f"Arms are not compared: only {studies[0]} is a study."
