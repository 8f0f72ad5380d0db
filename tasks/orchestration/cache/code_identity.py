"""Which code and which libraries a stage's result comes from: what follows its imports, and no more."""

import ast
import functools
import hashlib
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from typing import Any, NamedTuple

import grimp

from tasks.storage.roots import ROOT

# They carry the work but compute no result: our own room of that kind, and libraries.
ORCHESTRATION = "tasks.orchestration"
NOT_COMPUTING = {
    "prefect", "prefect_dask", "distributed", "grimp", "rich", "httpx", "filelock", "platformdirs", "upath", "pydantic",
}  # fmt: skip

_one_at_a_time = threading.Lock()


class CodeIdentity(NamedTuple):
    """modules: name → hash of its code. libraries: name → version."""

    modules: dict[str, str]
    libraries: dict[str, str]


def code_identity(module: str) -> CodeIdentity:
    """The project modules that `module` runs, itself among them, and the libraries that these compute with.

    Comments, formatting, docstrings and the descriptions of settings don't count. A module's templates
    (`templates/<module>.*.j2` beside it) do. What only carries work counts neither, nor what it imports.
    """
    with _one_at_a_time:  # CPython 3.11 sometimes raises SystemError where two threads parse (gh-106905)
        return _code_identity(module)


def read_all_code() -> None:
    """Do beforehand what all stages' identities need, while there is something else to wait for."""
    with _one_at_a_time, suppress(SystemError):  # another library parses, too: then it is done when it is needed
        _distributions()
        for module in _project_modules():
            _source_hash(module)


@functools.cache
def _code_identity(module: str) -> CodeIdentity:
    graph = _import_graph()
    modules = {module} | {m for m in graph.find_upstream_modules(module) if m in _project_modules()}
    modules |= {".".join(m.split(".")[:depth]) for m in modules for depth in range(1, m.count(".") + 1)}  # packages
    imported = {m.split(".")[0] for own in modules for m in graph.find_modules_directly_imported_by(own)}
    libraries = imported - {"tasks"} - NOT_COMPUTING - sys.stdlib_module_names
    return CodeIdentity(
        {name: _source_hash(name) for name in sorted(modules)},
        {name: library_version(name) for name in sorted(libraries)},
    )


@functools.cache
def _import_graph() -> Any:
    graph = grimp.build_graph("tasks", include_external_packages=True, cache_dir=None)
    for module in {ORCHESTRATION, *graph.find_descendants(ORCHESTRATION)}:
        graph.remove_module(module)
    return graph


@functools.cache
def _project_modules() -> frozenset[str]:
    return frozenset(m for m in _import_graph().modules if m.split(".")[0] == "tasks")


@functools.cache  # most modules are part of several stages
def _source_hash(module: str) -> str:
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body.pop(0)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
    templates = b"".join(t.read_bytes() for t in sorted(path.parent.glob(f"templates/{path.stem}.*.j2")))
    return hashlib.sha256(ast.dump(tree).encode() + templates).hexdigest()[:16]


def library_version(library: str) -> str:
    """The version of what is imported as `library`, however its distribution is named: pillow, tensorflow-cpu.

    One distribution may be listed several times: where a library has just installed a finder of its own, say.
    """
    return ", ".join(metadata.version(distribution) for distribution in sorted(set(_distributions()[library])))


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
