"""What a cache key is made of."""

import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.orchestration import code_identity as cache
from tasks.storage.roots import ROOT


def test_key_follows_code_but_not_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    program = ROOT / "tasks/experiment/networks/program.py"
    original = program.read_text()
    assert {"tasks.experiment.networks.program", "tasks.experiment"} <= set(cache.code_identity("tasks.train"))
    assert "tasks.experiment.reports.plots" not in cache.code_identity("tasks.train")
    assert {"tensorflow", "keras", "numpy"} <= set(cache.code_identity("tasks.train"))
    real = Path.read_text

    def source(text: str) -> bytes:
        monkeypatch.setattr(Path, "read_text", lambda self: text if self == program else real(self))
        return cache._normalized_source("tasks.experiment.networks.program")

    same = source(original)
    assert source(original.replace('"""The compiled program:', '"""A compiled program:') + "\n\n# a comment\n") == same
    edited = original.replace("w - r * g", "w - 2 * r * g")
    assert edited != original
    assert source(edited) != same


@pytest.fixture
def busy_collector() -> Iterator[None]:
    """Garbage is collected all the time, and threads take turns while it is: so a fault of minutes shows at once."""

    def take_a_while(phase: str, info: dict[str, int]) -> None:
        sum(range(50))

    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.callbacks.append(take_a_while)
    gc.set_threshold(20)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.callbacks.remove(take_a_while)


def test_threads_can_ask_at_the_same_time(busy_collector: None) -> None:
    """CPython 3.11 raises SystemError (gh-106905) where two threads parse; Prefect then runs a task uncached."""
    alone = cache._code_identity.__wrapped__("tasks.report")

    def ask(_: int) -> dict[str, str]:
        cache._code_identity.cache_clear()
        return cache.code_identity("tasks.report")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(8))) == [alone] * 8
