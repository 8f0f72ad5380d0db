"""Tests side by side (`pytest --numprocesses 2`): what stays together in one process, and what is begun first."""

from typing import Any

import pytest

# Rooms in which something takes long to set up: a server, a run to compare with, processes that fork.
TOGETHER = ("tests/flows/own_data/", "tests/faults/")
# All that use the fixture `served`: a server, a worker and a first night.
SERVED = tuple(
    f"tests/operations/test_{name}.py::" for name in ("own_server", "security", "serve", "ui", "web_pages", "webhook")
)
LONG = ("tests/flows/", "tests/faults/")  # begun first, so that both processes end at about the same time


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A room, a module, or all that is served, at a time goes to whichever process is free."""
    from xdist.scheduler import LoadScopeScheduling

    class ByRoom(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(SERVED):
                return "served"
            return next((room for room in TOGETHER if nodeid.startswith(room)), nodeid.partition("::")[0])

    config.option.loadscopereorder = False  # else what has most tests comes first, not what takes longest
    return ByRoom(config, log)
