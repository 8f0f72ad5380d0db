"""The experiment as a flow: train A, then B from scratch and B on top of A, pair by pair; compare."""

from prefect import State, unmapped

from tasks.download import open_data, open_source
from tasks.evaluate import can_tell, evaluate
from tasks.experiment.networks.models import Models
from tasks.experiment.reports.metrics import earlier_nights
from tasks.experiment.results.statistics.sequential import looks
from tasks.experiment.settings import Experiment, Keep, Refresh, Replicates, Seed, StopEarly
from tasks.normalize import starts
from tasks.orchestration.provenance import made_with
from tasks.orchestration.publishing import conclude, keep_newest, publish
from tasks.orchestration.stage import computing, pipeline
from tasks.orchestration.terminal.command_line import run_from_command_line
from tasks.report import report
from tasks.split import split
from tasks.storage.in_use import artifacts_in_use
from tasks.train import train_A, train_B_scratch, transfer_B_on_A


@pipeline("transfer-learning")
def transfer_learning(
    experiment: Experiment = Experiment(),  # noqa: B008 (frozen)
    replicates: Replicates = 5,
    seed: Seed = 42,
    stop_early: StopEarly = False,
    refresh: Refresh = False,
    keep: Keep = None,
) -> State[str]:
    """How much does starting from a related model help when labels are few? One pair of runs per seed, compared."""
    seeds = list(range(seed, seed + replicates))
    with artifacts_in_use(), computing(refresh):
        data = open_data(experiment.dataset, experiment.sizing)
        source = open_source(data, experiment.source_dataset, experiment.source_model, experiment.image_fit)
        start_A, start_B = starts(experiment, data, source)
        A, B = split(data, source, start_A, start_B, experiment.target)
        models = Models()
        for look in looks(replicates, stop_early=stop_early):
            new = seeds[len(models.A) : look.pairs]
            models_A = train_A.map(unmapped(A), unmapped(experiment.source_training), new)
            scratch = train_B_scratch.map(unmapped(B), unmapped(experiment.scratch_training), new)
            transfer = transfer_B_on_A.map(unmapped(B), unmapped(experiment.transfer_training), new, models_A)
            models += Models(A=models_A.result(), B_scratch=scratch.result(), B_on_A=transfer.result())
            scores = evaluate(B, seeds[: look.pairs], models, look, experiment.metric)
            if can_tell(scores, look):
                break
        # A night recomputes everything.
        earlier = earlier_nights(experiment, seeds[: len(models.A)]) if refresh else None
        written = report(experiment, A, B, models, scores, made_with(), earlier)
        first = {name: each[0].folder() / "model.keras" for name, each in models}
        folder = publish(written, first)
    keep_newest(keep)
    return conclude(folder)


if __name__ == "__main__":
    run_from_command_line(transfer_learning, "flows.transfer_learning")
