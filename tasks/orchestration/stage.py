"""What every stage and every flow has in common: names in the UI, the cache, JSON results, where they run."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prefect import flow, task
from prefect.context import FlowRunContext
from prefect.runtime import deployment, flow_run
from prefect.settings import PREFECT_TASKS_REFRESH_CACHE, temporary_settings
from prefect.transactions import IsolationLevel
from pydantic.fields import FieldInfo

from tasks.experiment.settings import Experiment
from tasks.orchestration.cache_records import RecordFolder, RecordLocks, RecordSerializer
from tasks.orchestration.code_identity import ResultsAreCurrent
from tasks.orchestration.runners import configured_runner, task_runner


def stage(run_name: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: a Prefect task named like its function, cached by ResultsAreCurrent, its result a JSON record."""

    def decorate(function: Callable[..., Any]) -> Any:
        name = function.__name__
        policy = ResultsAreCurrent().configure(lock_manager=RecordLocks(), isolation_level=IsolationLevel.SERIALIZABLE)
        return task(
            name=name, task_run_name=run_name or name, cache_policy=policy, persist_result=True,
            result_storage=RecordFolder(), result_serializer=RecordSerializer(), **options,
        )(function)  # fmt: skip

    return decorate


def _describe_run() -> str:
    """What the run is, and unique: its deployment, samples, seeds, and the start of the run's id."""
    given = flow_run.parameters
    last = given["seed"] + given["replicates"] - 1
    experiment = Experiment.model_validate(given["experiment"])
    name = f"{experiment.target_samples}-samples-seeds-{given['seed']}-{last}-{str(flow_run.id)[:8]}"
    return f"{deployment.name}-{name}" if deployment.name else name


def pipeline(name: str, prefix: str = "") -> Callable[[Callable[..., Any]], Any]:
    """Decorator: a Prefect flow. Without HEADSTART_RUNNER it trains as many replicates at a time as there are cores.

    Its runs are named by `prefix` and by what they are.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        description = inspect.getdoc(function)
        # Prefect's parameter form takes descriptions from here only, not from the fields.
        function.__doc__ = f"{description}\n\nArgs:\n{_describe_parameters(function)}"
        return flow(
            name=name,
            description=description,
            flow_run_name=lambda: prefix + _describe_run(),
            task_runner=task_runner(configured_runner()),  # type: ignore[arg-type]
            result_serializer="json",
            persist_result=False,
        )(function)

    return decorate


def _describe_parameters(function: Callable[..., Any]) -> str:
    """The `description` of each parameter's Field, in Google's docstring style."""
    fields = {
        name: field.description
        for name, parameter in inspect.signature(function).parameters.items()
        for field in getattr(parameter.annotation, "__metadata__", ())
        if isinstance(field, FieldInfo)
    }
    return "\n".join(f"    {name}: {description}" for name, description in fields.items())


@contextmanager
def computing(refresh: bool) -> Iterator[None]:
    """What a flow's stages run in: workers are as this machine is; with `refresh`, what the cache holds is made anew.

    Raises UnusableInputError if trainings can't run where they shall.
    """
    context = FlowRunContext.get()
    if context and hasattr(context.task_runner, "prepare"):  # no isinstance: importing Dask takes a second
        context.task_runner.prepare()
    with temporary_settings({PREFECT_TASKS_REFRESH_CACHE: True} if refresh else {}):
        yield
