"""What every stage has in common: its name in the UI, its cache, JSON results."""

from collections.abc import Callable
from typing import Any

from prefect import task

from tasks.cache import ResultsAreCurrent


def stage(run_name: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: a Prefect task named like its function, cached by ResultsAreCurrent, its result a JSON record."""

    def decorate(function: Callable[..., Any]) -> Any:
        name = function.__name__
        policy = ResultsAreCurrent()
        return task(
            name=name, task_run_name=run_name or name, cache_policy=policy, persist_result=True,
            result_serializer="json", **options,
        )(function)  # fmt: skip

    return decorate
