"""What every stage and every flow has in common: names in the UI, the cache, JSON results, where they run."""

import functools
import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from cloudpickle import register_pickle_by_value
from prefect import Flow, Task, flow
from prefect.cache_policies import CachePolicy
from prefect.context import FlowRunContext, TaskRunContext
from prefect.futures import PrefectFutureList
from prefect.settings import PREFECT_TASKS_REFRESH_CACHE, temporary_settings
from prefect.transactions import IsolationLevel
from pydantic.fields import FieldInfo

from tasks.orchestration import chunks
from tasks.orchestration.cache.code_identity import code_identity
from tasks.orchestration.cache.records import RecordFolder, RecordLocks, RecordSerializer, declare_result
from tasks.orchestration.ending import trainings_end_too
from tasks.orchestration.events import send_and_confirm_in_turn
from tasks.orchestration.provenance import note_call, noting_calls
from tasks.orchestration.run_names import describe_pairs, run_name
from tasks.orchestration.terminal.refusals import keep_tracebacks_of_refusals_out
from tasks.orchestration.tracking import wanted_trackers
from tasks.orchestration.workers.runners import configured_runner, task_runner

P = ParamSpec("P")
R = TypeVar("R")

_modules: set[str] = set()  # those with stages
send_and_confirm_in_turn()  # wherever stages run, on Dask's workers too


class Stage(Task[P, R]):
    """A Prefect task whose calls are typed, and noted for what a run comes from.

    (The arguments of `map` can't be typed: some are mapped over, some are not. What it gives is typed.)
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        result: R = super().__call__(*args, **kwargs)
        note_call(self.__module__, result)
        return result

    def map(self, *args: Any, **kwargs: Any) -> PrefectFutureList[R]:  # type: ignore[override]
        """A task run for each call; where there are many, for each chunk of calls."""
        given = inspect.signature(self.fn).bind(*args, **kwargs).arguments
        mapped = {name: value for name, value in given.items() if isinstance(value, list)}
        if any(isinstance(value, chunks.Chunks) or len(value) > chunks.ALONE for value in mapped.values()):
            futures: PrefectFutureList[R] = chunks.start(self.chunk, given, mapped)
        else:
            futures = super().map(*args, **kwargs)
        note_call(self.__module__, futures)
        return futures

    @functools.cached_property
    def chunk(self) -> chunks.Chunk:
        return chunks.Chunk(self)

    def __reduce__(self) -> str:
        """To another process it travels as its name and is imported there, which declares its result there too."""
        return self.fn.__qualname__


@dataclass
class ResultsAreCurrent(CachePolicy):
    """Key: the task's inputs, the code that it runs and the libraries that it computes with."""

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str:
        task = task_ctx.task
        parts = [task.name, _jsonable(inputs), code_identity(task.fn.__module__)]
        return f"{task.name}-{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]}"


def _jsonable(value: Any) -> Any:
    """Inputs as JSON. Raises TypeError for anything else: an array or a model must not travel between tasks."""
    return json.loads(json.dumps(value, default=lambda model: model.model_dump(mode="json"), sort_keys=True))


def stage(run_name: str | None = None, **options: Any) -> Callable[[Callable[P, R]], Stage[P, R]]:
    """Decorator: a Prefect task named like its function, cached by ResultsAreCurrent, its result a JSON record.

    Reading a record makes the function's declared return type, and nothing else: a handle, or a tuple of handles.
    """

    def decorate(function: Callable[P, R]) -> Stage[P, R]:
        name = function.__name__
        declare_result(name, inspect.get_annotations(function, eval_str=True)["return"])
        _modules.add(function.__module__)
        policy = ResultsAreCurrent().configure(lock_manager=RecordLocks(), isolation_level=IsolationLevel.SERIALIZABLE)
        return Stage(
            _again_if_parsing_failed(function), name=name, task_run_name=run_name or name, cache_policy=policy,
            persist_result=True, result_storage=RecordFolder(), result_serializer=RecordSerializer(), **options,
        )  # fmt: skip

    return decorate


def _again_if_parsing_failed(function: Callable[P, R]) -> Callable[P, R]:
    """CPython 3.11 sometimes raises SystemError where two threads parse (gh-106905), as NumPy does a file's header."""

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except SystemError as error:
            if "AST constructor" not in str(error):
                raise
            return function(*args, **kwargs)

    return called


def pipeline(
    name: str, prefix: str = "", describe: Callable[[dict[str, Any]], list[str]] = describe_pairs
) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Decorator: a Prefect flow. Without HEADSTART_RUNNER it trains as many networks at a time as there are cores.

    Its runs are named by `prefix` and by what `describe` says of their parameters, unless somebody names them.
    """

    def decorate(function: Callable[P, R]) -> Flow[P, R]:
        description = inspect.getdoc(function)
        # Prefect's parameter form takes descriptions from here only, not from the fields.
        function.__doc__ = f"{description or ''}\n\nArgs:\n{_describe_parameters(function)}"
        # A worker loads a flow from its file, as a module that Dask's machines can't import: what is in it goes along.
        register_pickle_by_value(sys.modules[function.__module__])
        keep_tracebacks_of_refusals_out()
        return flow(
            name=name,
            description=description,
            flow_run_name=lambda: run_name(prefix, describe),
            task_runner=task_runner(configured_runner()),
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
    """The block of a flow in which its stages are called: on checked workers, and noted for what the run comes from.

    refresh: ignore the cache. Raises UnusableInputError if there are no workers that compute as this machine does, or
    if HEADSTART_TRACKERS can't be used.
    """
    wanted_trackers()
    prepare_runner()
    with refreshing(refresh), noting_calls(), trainings_end_too():
        yield


def prepare_runner() -> None:
    """Check and prepare the workers of the flow that is running, if its runner has any."""
    context = FlowRunContext.get()
    if context and hasattr(context.task_runner, "prepare"):  # no isinstance: importing Dask takes a second
        context.task_runner.prepare(sorted(_modules))


@contextmanager
def refreshing(refresh: bool) -> Iterator[None]:
    """With `refresh`, the stages of this block recompute what the cache holds."""
    with temporary_settings({PREFECT_TASKS_REFRESH_CACHE: True} if refresh else {}):
        yield
