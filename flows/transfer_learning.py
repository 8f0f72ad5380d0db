"""The experiment as a flow: train A, then B from scratch and B on top of A, pair by pair; compare."""

from prefect import unmapped
from prefect.runtime import flow_run

from tasks.command_line import run_from_command_line
from tasks.download import open_data
from tasks.evaluate import evaluate
from tasks.experiment.recipe import Experiment, Refresh, Replicates, Seed
from tasks.report import publish, report
from tasks.source import networks_A, open_source, results, starts
from tasks.split import split
from tasks.stage import pipeline, refreshing
from tasks.train import train_B_scratch, transfer_B_on_A


@pipeline("transfer-learning")
def transfer_learning(
    experiment: Experiment = Experiment(),  # noqa: B008 (frozen)
    replicates: Replicates = 5,
    seed: Seed = 42,
    refresh: Refresh = False,
) -> str:
    """How much does starting from a related model help when labels are few? A pair of runs a seed, compared."""
    seeds = list(range(seed, seed + replicates))
    with refreshing(refresh):
        data = open_data(experiment.dataset)
        source = open_source(experiment, data)
        classes = experiment.target_numbers(data.classes)
        tasks = split(data, source, classes, experiment.target_samples, experiment.balanced)
        start_A, start_B = starts(experiment, data, source)
        A = networks_A(experiment, source, start_A, tasks.source, seeds)
        given = unmapped(data), unmapped(start_B)
        scratch = train_B_scratch.map(*given, unmapped(tasks.target), unmapped(experiment.scratch_training), seeds)
        transfer = transfer_B_on_A.map(*given, unmapped(tasks.target), unmapped(experiment.transfer_training), seeds, A)
        models_A, models_scratch, models_transfer = map(results, (A, scratch, transfer))
        scores = evaluate(data, tasks.target, seeds, models_scratch, models_transfer)
        written = report(data, source, experiment, tasks.target, scores, models_scratch, models_transfer)
    first = {"A": models_A[0], "B_scratch": models_scratch[0], "B_on_A": models_transfer[0]}
    models = {name: model.folder() / "model.keras" for name, model in first.items()}
    return str(publish(flow_run.name, written, models))


if __name__ == "__main__":
    run_from_command_line(transfer_learning, "flows.transfer_learning")
