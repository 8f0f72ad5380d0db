"""The experiment as a flow: train A, then B from scratch and B on top of A, pair by pair; compare."""

from prefect import State, unmapped
from prefect.runtime import flow_run

from tasks.download import open_data
from tasks.evaluate import evaluate
from tasks.experiment.reports.metrics import earlier_nights
from tasks.experiment.settings import Experiment, Keep, Refresh, Replicates, Seed
from tasks.orchestration.command_line import run_from_command_line
from tasks.orchestration.publishing import conclude, keep_newest
from tasks.orchestration.stage import computing, pipeline
from tasks.report import made_with, publish, report
from tasks.source import networks_A, open_source, results, starts
from tasks.split import split
from tasks.storage.in_use import artifacts_in_use
from tasks.train import train_B_scratch, transfer_B_on_A


@pipeline("transfer-learning")
def transfer_learning(
    experiment: Experiment = Experiment(),  # noqa: B008 (frozen)
    replicates: Replicates = 5,
    seed: Seed = 42,
    refresh: Refresh = False,
    keep: Keep = None,
) -> State[str]:
    """How much does starting from a related model help when labels are few? A pair of runs a seed, compared."""
    seeds = list(range(seed, seed + replicates))
    with artifacts_in_use(), computing(refresh):
        data = open_data(experiment.dataset)
        source = open_source(experiment, data)
        classes = experiment.target_numbers(data.classes)
        tasks = split(data, source, classes, experiment.target_samples, experiment.balanced)
        start_A, start_B = starts(experiment, data, source)
        A = networks_A(experiment, source, start_A, tasks.source, seeds)
        given = unmapped(data), unmapped(start_B)
        scratch = train_B_scratch.map(*given, unmapped(tasks.target), unmapped(experiment.scratch_training), seeds)
        transfer = transfer_B_on_A.map(*given, unmapped(tasks.target), unmapped(experiment.transfer_training), seeds, A)
        models = {"A": results(A), "B_scratch": results(scratch), "B_on_A": results(transfer)}
        scores = evaluate(data, tasks.target, seeds, models["B_scratch"], models["B_on_A"])
        earlier = earlier_nights(experiment, seeds) if refresh else None  # a night computes everything anew
        written = report(data, source, experiment, tasks.target, scores, models, made_with(), earlier)
        first = {name: each[0].folder() / "model.keras" for name, each in models.items()}
        used = [data, source, start_A, start_B, tasks, models, scores]
        folder = publish(flow_run.name, written, first, used)
    keep_newest(keep)
    return conclude(folder)


if __name__ == "__main__":
    run_from_command_line(transfer_learning, "flows.transfer_learning")
