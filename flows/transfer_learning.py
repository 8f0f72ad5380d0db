"""The experiment as a flow: train A, then B from scratch and B on top of A, pair by pair; compare."""

import importlib
import json
import os
import sys
import threading
from contextlib import ExitStack
from typing import Annotated

from prefect import flow, unmapped
from prefect.runtime import flow_run
from prefect.settings import PREFECT_TASKS_REFRESH_CACHE, temporary_settings
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, CliApp, PydanticBaseSettingsSource, SettingsConfigDict

from tasks.download import download
from tasks.evaluate import evaluate
from tasks.experiment.page import answer
from tasks.experiment.recipe import Experiment
from tasks.experiment.store import artifacts_root
from tasks.normalize import normalize
from tasks.progress import bars_in_terminal
from tasks.report import publish, report
from tasks.server import prefect_api
from tasks.split import split
from tasks.train import train_A, train_B_scratch, transfer_B_on_A

Replicates = Annotated[int, Field(ge=1, le=1000, description="Pairs of runs, one a seed.")]
Seed = Annotated[int, Field(ge=0, le=2**31, description="The first replicate's seed; the next ones count up.")]
Refresh = Annotated[bool, Field(description="Compute everything anew, whatever the cache holds.")]


def run_name() -> str:
    """What the run is, and unique: samples, seeds, and the start of the run's id."""
    given = flow_run.parameters
    last = given["seed"] + given["replicates"] - 1
    experiment = Experiment.model_validate(given["experiment"])
    return f"{experiment.target_samples}-samples-seeds-{given['seed']}-{last}-{str(flow_run.id)[:8]}"


@flow(
    name="transfer-learning",
    flow_run_name=run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=os.cpu_count() or 1),  # type: ignore[arg-type]
    result_storage=artifacts_root() / "cache",
    result_serializer="json",
    persist_result=False,
)
def transfer_learning(
    experiment: Experiment = Experiment(),  # noqa: B008 (frozen)
    replicates: Replicates = 5,
    seed: Seed = 42,
    refresh: Refresh = False,
) -> str:
    with ExitStack() as settings:
        if refresh:
            settings.enter_context(temporary_settings({PREFECT_TASKS_REFRESH_CACHE: True}))
        seeds = list(range(seed, seed + replicates))
        data = download()
        pixels = normalize(data, experiment.normalization)
        tasks = split(data, experiment.target_class_ids, experiment.target_samples, experiment.balanced)
        given = unmapped(data), unmapped(pixels)
        A = train_A.map(*given, unmapped(tasks.source), unmapped(experiment.source_training), seeds)
        scratch = train_B_scratch.map(*given, unmapped(tasks.target), unmapped(experiment.scratch_training), seeds)
        transfer = transfer_B_on_A.map(*given, unmapped(tasks.target), unmapped(experiment.transfer_training), seeds, A)
        models_A, models_scratch, models_transfer = A.result(), scratch.result(), transfer.result()
        scores = evaluate(data, tasks.target, seeds, models_scratch, models_transfer)
        written = report(data, experiment, tasks.target, scores, models_scratch, models_transfer)
    models = {"A": models_A[0], "B_scratch": models_scratch[0], "B_on_A": models_transfer[0]}
    return str(publish(flow_run.name, written, models))


class Parameters(BaseSettings):
    """The flow's parameters as command-line flags (and nothing else: no environment variable plays a part)."""

    model_config = SettingsConfigDict(
        extra="forbid", cli_kebab_case=True, cli_prog_name="python -m flows.transfer_learning"
    )
    experiment: Experiment = Experiment()
    replicates: Replicates = 5
    seed: Seed = 42
    refresh: Refresh = False

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **others: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def main() -> None:
    """Run the flow with the flags of the command line, and print the answer."""
    try:
        parameters = CliApp.run(Parameters)
    except ValidationError as refused:
        for error in refused.errors():
            where = ".".join(str(part) for part in error["loc"]) or "parameters"
            print(f"{where}: {error['msg']} (given: {error['input']!r})", file=sys.stderr)
        sys.exit(2)
    if parameters.refresh or not (artifacts_root() / "store" / "train_A").exists():
        # Something must be trained for sure: import TensorFlow while the server starts.
        threading.Thread(target=importlib.import_module, args=["tasks.experiment.trainer"], daemon=True).start()
    with prefect_api(), bars_in_terminal():
        state = transfer_learning(
            **{name: getattr(parameters, name) for name in Parameters.model_fields}, return_state=True
        )
    if not state.is_completed():
        sys.exit(f"{state.name}: {state.message}")  # the log above has the details
    folder = state.result()
    with open(f"{folder}/metrics.json") as stream:  # noqa: PTH123
        print(answer(json.load(stream)))
    print(f"Report: {folder}/report.html\nPlots:  {folder}/plots\nModels: {folder}/models")


if __name__ == "__main__":
    main()
