"""Calls that mypy must check in `make lint`: an error that it sees no more is an ignore that it reports as unused."""

from typing import assert_type

from prefect.futures import PrefectFutureList

from tasks.evaluate import evaluate
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact


@stage(run_name="count {number}")
def count(number: int, of: str) -> Artifact:
    raise NotImplementedError


def never_run() -> None:
    assert_type(count(1, of="images"), Artifact)
    assert_type(count.map([1, 2], of="images"), PrefectFutureList[Artifact])
    assert_type(count.map([1, 2], of="images").result(), list[Artifact])
    count("one", of="images")  # type: ignore[arg-type]
    count(1)  # type: ignore[call-arg]
    evaluate([1], count(1, of="images"))  # type: ignore[arg-type, call-arg]
