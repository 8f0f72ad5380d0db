"""The experiment as a flow: train A, then B from scratch and B on top of A, pair by pair; compare."""

from prefect import unmapped
from prefect.runtime import flow_run

from tasks.command_line import run_from_command_line
from tasks.download import content_of, download
from tasks.evaluate import evaluate
from tasks.experiment.recipe import Experiment, Refresh, Replicates, Seed
from tasks.normalize import normalize
from tasks.report import publish, report
from tasks.split import split
from tasks.stage import pipeline, refreshing
from tasks.train import train_A, train_B_scratch, transfer_B_on_A


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
        data = download(experiment.dataset, content_of(experiment.dataset))
        pixels = normalize(data, experiment.normalization)
        tasks = split(data, experiment.target_numbers(data.classes), experiment.target_samples, experiment.balanced)
        given = unmapped(data), unmapped(pixels)
        A = train_A.map(*given, unmapped(tasks.source), unmapped(experiment.source_training), seeds)
        scratch = train_B_scratch.map(*given, unmapped(tasks.target), unmapped(experiment.scratch_training), seeds)
        transfer = transfer_B_on_A.map(*given, unmapped(tasks.target), unmapped(experiment.transfer_training), seeds, A)
        models_A, models_scratch, models_transfer = A.result(), scratch.result(), transfer.result()
        scores = evaluate(data, tasks.target, seeds, models_scratch, models_transfer)
        written = report(data, experiment, tasks.target, scores, models_scratch, models_transfer)
    first = {"A": models_A[0], "B_scratch": models_scratch[0], "B_on_A": models_transfer[0]}
    models = {name: model.folder() / "model.keras" for name, model in first.items()}
    return str(publish(flow_run.name, written, models))


if __name__ == "__main__":
    run_from_command_line(transfer_learning, "flows.transfer_learning")
