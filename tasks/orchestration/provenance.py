"""What a run's answer comes from: the stages that it has called, what they returned, and the code and versions."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from prefect.exceptions import UnfinishedRun
from prefect.futures import PrefectFutureList

from tasks.orchestration.code_identity import code_identity, library_version
from tasks.storage.artifacts import Artifact, artifacts_in

LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "matplotlib", "prefect")

# Of the run in progress, for each call of a stage: its module, and what it gave.
_calls: ContextVar[list[tuple[str, Any]]] = ContextVar("calls")


@contextmanager
def noting_calls() -> Iterator[None]:
    """Stages that are called in this block are noted, here where the flow runs: wherever the stages themselves do."""
    token = _calls.set([])
    try:
        yield
    finally:
        _calls.reset(token)


def note_call(module: str, given: Any) -> None:
    """A stage of that module was called and gave handles, or futures of handles. Outside a run this does nothing."""
    if (calls := _calls.get(None)) is not None:
        calls.append((module, given))


def artifacts_of_run() -> set[Artifact]:
    """All that the run's stages have returned so far, from the cache or not; waits for those that still run."""
    return {artifact for _, given in _calls.get() for artifact in artifacts_in(_results(given))}


def _results(given: Any) -> Any:
    """What futures came to: of a stage that failed, its exception, and of one that therefore never ran, nothing."""
    if not isinstance(given, PrefectFutureList):
        return given
    results = []
    for future in given:
        with suppress(UnfinishedRun):
            results.append(future.result(raise_on_failure=False))
    return results


def made_with() -> dict[str, dict[str, str]]:
    """`environment`, and `code`: a hash of each module behind the stages that the run has called so far."""
    code: dict[str, str] = {}
    for module in {module for module, _ in _calls.get()}:
        code |= code_identity(module).modules
    return {"environment": environment(), "code": dict(sorted(code.items()))}


def environment() -> dict[str, str]:
    """What a result may depend on beside code and settings: Python, the machine, the libraries' versions."""
    versions = {name: library_version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}
