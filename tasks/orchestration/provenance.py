"""What a run's answer comes from: the stages that it has called, what they returned, and the code and versions."""

import inspect
import json
import platform
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.context import FlowRunContext
from prefect.exceptions import UnfinishedRun
from prefect.futures import PrefectFutureList
from pydantic import BaseModel

from tasks.experiment.reports.metrics import RunDescription
from tasks.orchestration.cache.code_identity import code_identity, library_version
from tasks.storage.artifacts import Artifact, artifacts_in
from tasks.storage.roots import ROOT

LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "matplotlib", "prefect")

# Of the run in progress, for each call of a stage: its module, and what it gave.
_calls: ContextVar[list[tuple[str, Any]]] = ContextVar("calls")
# And the project's commit when it began, which may be another one hours later.
_checkout: ContextVar[tuple[str | None, bool | None]] = ContextVar("checkout")
CODE = ("flows/", "tasks/")  # where also files that git does not know are a change


@contextmanager
def noting_calls() -> Iterator[None]:
    """Stages that are called in this block are noted, here where the flow runs: wherever the stages themselves do."""
    calls, commit = _calls.set([]), _checkout.set(checkout(ROOT))
    try:
        yield
    finally:
        _calls.reset(calls)
        _checkout.reset(commit)


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


def describe_run(date: str) -> RunDescription:
    """The run in progress. date: that it is published under."""
    context = FlowRunContext.get()
    assert context
    assert context.flow
    assert context.flow_run
    commit, changed = _checkout.get()
    return RunDescription(
        name=context.flow_run.name, date=date, commit=commit, changed=changed, flow=context.flow.name,
        command=command(context.flow, context.parameters or {}),
    )  # fmt: skip


def checkout(project: Path) -> tuple[str | None, bool | None]:
    """(commit, whether tracked files or any of the code differ from it); None for both if it is no git checkout."""

    def git(*arguments: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(project), *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60).stdout

    try:
        top, commit = git("rev-parse", "--show-toplevel", "HEAD").split("\n")[:2]
        if Path(top).resolve() != project.resolve():  # a copy of the project inside another one
            return None, None
        changes = git("status", "--porcelain").splitlines()
    except (OSError, subprocess.SubprocessError):  # no git, no checkout, somebody else's, no commit yet
        return None, None
    return commit, any(not line.startswith("?? ") or line[3:].startswith(CODE) for line in changes)


def command(flow: Flow[..., Any], parameters: Mapping[str, Any]) -> str:
    """The command that runs the flow with these parameters; `keep` is left out, since it deletes other runs."""
    usual = {name: parameter.default for name, parameter in inspect.signature(flow.fn).parameters.items()}
    given = {name: value for name, value in parameters.items() if name != "keep" and value != usual[name]}
    flags: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, BaseModel):
            changed = value.model_dump(mode="json", exclude_defaults=True)
            flags |= {f"{name}.{field}": setting for field, setting in changed.items()}
        else:
            flags[name] = value
    words = [f"--{name.replace('_', '-')}={_word(value)}" for name, value in flags.items()]
    module = f"flows.{Path(inspect.getfile(flow.fn)).stem}"
    return shlex.join([".venv/bin/python", "-m", module, *words])


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
