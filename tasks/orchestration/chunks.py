"""Many calls of one stage, several in one task run, so that Prefect's share of the time and its database stay small.

Each call has the same cache record as if it were a task run of its own: how calls are put together changes no result,
and wastes nothing that is cached.
"""

import operator
import uuid
from typing import Any

from prefect import Task
from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.context import TaskRunContext
from prefect.futures import PrefectFutureList
from prefect.logging import get_run_logger
from prefect.results import get_result_store
from prefect.settings import PREFECT_TASKS_REFRESH_CACHE
from prefect.utilities.callables import get_parameter_defaults

from tasks.orchestration.cache.records import Record
from tasks.orchestration.terminal.progress import counting

ALONE = 1000  # calls at most that are task runs of their own
TOGETHER = 50  # calls in a task run where there are more


class Chunks(PrefectFutureList[Any]):
    """Task runs of several calls each; their result is that of all calls, in order."""

    def result(self, *args: Any, **kwargs: Any) -> list[Any]:
        return [result for chunk in super().result(*args, **kwargs) for result in chunk]


class Chunk(Task[[dict[str, Any], dict[str, list[Any]]], list[Any]]):
    """A task that calls a stage several times, one after the other, unless a call's result is cached."""

    def __init__(self, stage: Task[..., Any]) -> None:
        def call_each(same: dict[str, Any], each: dict[str, list[Any]]) -> list[Any]:
            """same: arguments of all calls. each: lists, with an argument of each call."""
            calls = [get_parameter_defaults(stage.fn) | same | dict(zip(each, one, strict=True)) for one in _rows(each)]
            cached = 0
            with counting(_name(stage, same, each)) as count:
                results = []
                for number, arguments in enumerate(calls, start=1):
                    was_cached, result = _call(stage, arguments)
                    cached += was_cached
                    results.append(result)
                    count(number, len(calls))
            get_run_logger().info("%d of %d were cached", cached, len(calls))
            return results

        def task_run_name(parameters: dict[str, Any]) -> str:
            return _name(stage, **parameters)

        named: Any = task_run_name
        super().__init__(call_each, name=stage.name, task_run_name=named, cache_policy=NO_CACHE, persist_result=False)
        self.stage = stage

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process it travels as its stage, which travels as its name."""
        return operator.attrgetter("chunk"), (self.stage,)


def start(chunk: Task[..., list[Any]], arguments: dict[str, Any], mapped: dict[str, list[Any]]) -> Chunks:
    """Start a task run for each chunk of calls. mapped: of the arguments, the lists with one for each call."""
    same = {name: getattr(value, "value", value) for name, value in arguments.items() if name not in mapped}
    count = max(len(values) for values in mapped.values() if not isinstance(values, Chunks))
    futures = []
    for number, first in enumerate(range(0, count, TOGETHER)):
        last = first + TOGETHER
        each = {n: v[number] if isinstance(v, Chunks) else v[first:last] for n, v in mapped.items()}
        futures.append(chunk.submit(same, each))
    return Chunks(futures)  # type: ignore[abstract]  # as PrefectFutureList is


def _rows(each: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*each.values(), strict=True))


def _name(stage: Task[..., Any], same: dict[str, Any], each: dict[str, list[Any]]) -> str:
    """Of a chunk: that of its first call, and how many more there are."""
    first, *more = _rows(each)
    return f"{str(stage.task_run_name).format(**same, **dict(zip(each, first, strict=True)))} and {len(more)} more"


def _call(stage: Task[..., Any], arguments: dict[str, Any]) -> tuple[bool, Any]:
    """Whether the cache had what the stage gives, and that: as in a task run of its own."""
    context = TaskRunContext.get()
    assert context
    assert isinstance(stage.cache_policy, CachePolicy)
    key = stage.cache_policy.compute_key(context.model_copy(update={"task": stage}), arguments, {})
    assert key
    store: Any = get_result_store().update_for_task(stage)
    store, holder = store.model_copy(update={"cache_result_in_memory": False}), str(uuid.uuid4())
    store.acquire_lock(key, holder)
    try:
        if not PREFECT_TASKS_REFRESH_CACHE.value() and store.exists(key):
            return True, store.read(key, holder).result
        result = stage.fn(**arguments)
        store.write(Record(key=key, result=result), key, holder=holder)
        return False, result
    finally:
        store.release_lock(key, holder)
