"""report: metrics.json, the report, and the plots."""

import csv
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.model_files import weights_digest
from tasks.experiment.networks.models import Models
from tasks.experiment.networks.recipe import Epoch
from tasks.experiment.reports.figures import draw_plots
from tasks.experiment.reports.metrics import compose_metrics, describe_data, night_of, table_of_pairs, write_metrics
from tasks.experiment.reports.page import write_body
from tasks.experiment.reports.plots import PLOTS, Epochs, ReportedRun
from tasks.experiment.reports.sentences import TUNED, again, answer, distinction, not_converged
from tasks.experiment.results.convergence import CONVERGED, Losses, convergence
from tasks.experiment.results.nights import Night, judge
from tasks.experiment.results.pairs import Results
from tasks.experiment.results.statistics.verdicts import RULE
from tasks.experiment.scores import decide
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import SCRATCH, TRANSFER
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import read_json


@stage()
def report(
    experiment: Experiment, A: Problem, B: Problem, models: Models, scores: Artifact,
    made_with: dict[str, dict[str, str]], earlier: list[Night] | None,
) -> Artifact:  # fmt: skip
    """earlier: the nights to compare with; None: this is no night."""
    results: Results = read_json(scores.folder() / "scores.json")
    for i, replicate in enumerate(results["replicates"]):
        replicate["weights"] = {name: weights_digest(each[i].folder() / "model.keras") for name, each in models}
    arms = {SCRATCH: models.B_scratch, TRANSFER: models.B_on_A}
    epochs = {arm: _of_each(networks, "history.json") for arm, networks in arms.items()}
    metrics = compose_metrics(experiment, made_with, describe_data(A, B), results, answer(results))
    if experiment.tuning == "cv":
        metrics["recipes"] = [
            {"seed": pair["seed"], "arm": arm} | recipe
            for arm, networks in arms.items()
            for pair, recipe in zip(results["replicates"], _of_each(networks, "recipe.json"), strict=True)
        ]
        metrics["answer"] += f" {TUNED}"
    else:
        losses = {arm: _losses(of_arm) for arm, of_arm in epochs.items()}
        metrics["convergence"] = convergence(losses, experiment.learning_rate)
        if warning := not_converged(metrics["convergence"]):
            metrics["answer"] += f" {warning}"
    tonight = night_of(metrics, run="this run", date="now")
    metrics["verdict"] = None if earlier is None else judge(tonight, earlier).model_dump()

    test = B.parts()["test"]
    firsts = {
        arm: np.load(networks[0].folder() / "probabilities.npy", allow_pickle=False) for arm, networks in arms.items()
    }
    right = {arm: decide(probabilities) == test.labels for arm, probabilities in firsts.items()}
    nights = [] if earlier is None else [*earlier, tonight]
    content = ReportedRun(B.data, metrics, epochs, B.data.images("test")[test.rows], test.labels, right, nights)

    def write(folder: Path) -> None:
        captions = draw_plots(PLOTS, content, folder / "plots", B.data.classes)
        write_metrics(folder, metrics)
        _write_epochs(folder / "epochs.csv", models, [pair["seed"] for pair in results["replicates"]])
        table = table_of_pairs(metrics["replicates"])
        write_body(
            folder, "report", captions, metrics=metrics, table=table, distinction=distinction(B.class_names),
            again=again(results), rule=RULE, converged=CONVERGED,
        )  # fmt: skip

    return save("report", write)


def _write_epochs(file: Path, models: Models, seeds: list[int]) -> None:
    """One row per epoch of each network: its name, seed, number, and losses and accuracies as in recipe.Epoch."""
    rows = [
        {"network": name, "seed": seed, "epoch": number} | epoch
        for name, networks in models
        for seed, network in zip(seeds, networks, strict=True)
        if (history := network.folder() / "history.json").exists()
        for number, epoch in enumerate(read_json(history), start=1)
    ]
    columns = ["network", "seed", "epoch", *(field.name for field in fields(Epoch))]
    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def _of_each(networks: list[Artifact], file: str) -> list[Any]:
    return [read_json(network.folder() / file) for network in networks]


def _losses(networks: list[Epochs]) -> Losses:
    return np.array([[epoch["validation_loss"] for epoch in epochs] for epochs in networks])
