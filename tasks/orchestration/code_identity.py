"""When is a stored result still the truth? Prefect's cache, keyed by all that could change the result."""

import ast
import functools
import hashlib
import json
import sys
import threading
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import grimp
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext

from tasks.storage.roots import ROOT

# They carry the work but compute no result.
NOT_COMPUTING = {"prefect", "prefect_dask", "grimp", "rich", "httpx", "filelock", "platformdirs", "upath"}


_one_at_a_time = threading.Lock()


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


def code_identity(module: str) -> dict[str, str]:
    """Hash of each project module that `module` runs, and version of each library: name → hash or version.

    Comments, formatting and docstrings don't count. A module's templates (`templates/<module>.*.j2` beside it) do.
    """
    with _one_at_a_time:  # CPython 3.11 sometimes raises SystemError where two threads parse (gh-106905)
        return _code_identity(module)


@functools.cache
def _code_identity(module: str) -> dict[str, str]:
    graph = _import_graph()
    modules = {module} | {m for m in graph.find_upstream_modules(module) if m in _project_modules()}
    modules |= {".".join(m.split(".")[:depth]) for m in modules for depth in range(1, m.count(".") + 1)}  # packages
    imported = {m.split(".")[0] for own in modules for m in graph.find_modules_directly_imported_by(own)}
    libraries = imported - {"tasks", "flows"} - NOT_COMPUTING - sys.stdlib_module_names
    code = {name: hashlib.sha256(_normalized_source(name)).hexdigest()[:16] for name in sorted(modules)}
    return code | {name: library_version(name) for name in sorted(libraries)}


@functools.cache
def _import_graph() -> Any:
    return grimp.build_graph("tasks", include_external_packages=True, cache_dir=None)


@functools.cache
def _project_modules() -> frozenset[str]:
    return frozenset(m for m in _import_graph().modules if m.split(".")[0] == "tasks")


def _normalized_source(module: str) -> bytes:
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body.pop(0)
    templates = b"".join(t.read_bytes() for t in sorted(path.parent.glob(f"templates/{path.stem}.*.j2")))
    return ast.dump(tree).encode() + templates


def library_version(library: str) -> str:
    """The version of an imported library; TensorFlow's CPU build is another distribution of the same import."""
    for distribution in (library, f"{library}-cpu"):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return "unknown"
