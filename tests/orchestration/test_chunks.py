"""Several calls of a stage in one task run: the same results, under the same cache records."""

import logging
from pathlib import Path
from typing import Any

import pytest
from prefect import flow, unmapped

from tasks.download import download
from tasks.experiment.data.fashion_mnist import NAME
from tasks.experiment.errors import UnusableInputError
from tasks.normalize import normalize
from tasks.orchestration import chunks
from tasks.orchestration.provenance import artifacts_of_run
from tasks.orchestration.stage import computing
from tasks.orchestration.workers.runners import task_runner
from tasks.storage.artifacts import Artifact
from tests.support.runs import FinalStates

pytestmark = pytest.mark.usefixtures("prefect_server")
KINDS = ["standardize", "none", "standardize"]


@flow
def pixels(kinds: list[str], refresh: bool = False) -> list[Artifact]:
    with computing(refresh):
        data = download(NAME, None)
        made: list[Artifact] = normalize.map(unmapped(data), kinds).result()
        assert artifacts_of_run() == set(made)
        return made


@pytest.fixture
def states() -> Any:
    handler, log = FinalStates(), logging.getLogger("prefect.task_runs")
    log.addHandler(handler)
    yield handler.names
    log.removeHandler(handler)


@pytest.mark.parametrize("runner", ["threads", pytest.param("dask", marks=pytest.mark.slow)])
def test_chunks_use_and_write_the_records_of_single_calls(
    runner: str, states: list[tuple[str, str]], caplog: pytest.LogCaptureFixture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(chunks, "ALONE", 2)
    monkeypatch.setattr(chunks, "TOGETHER", 2)
    run = pixels.with_options(task_runner=task_runner(runner))

    alone = pixels(KINDS[:1])
    together = run(KINDS)
    assert together == [alone[0], together[1], alone[0]] != [alone[0]] * 3
    if runner == "threads":
        assert "1 of 2 were cached" in caplog.text
        assert "1 of 1 were cached" in caplog.text
        assert sorted(states[-2:]) == [("normalize and 0 more", "Completed"), ("normalize and 1 more", "Completed")]

    states.clear()
    assert pixels(KINDS[:2]) == together[:2]
    assert [state for _, state in states] == ["Cached"] * 3

    # A damaged artifact is made again, and so are all with `refresh`.
    (together[1].folder() / "pixels.npz").write_bytes(b"")
    assert run(KINDS) == together
    assert together[1].is_intact()
    caplog.clear()
    assert run(KINDS, refresh=True) == together
    if runner == "threads":
        assert caplog.text.count("0 of 2 were cached") == caplog.text.count("0 of 1 were cached") == 1


@flow
def downloads() -> None:
    with computing(refresh=False):
        download.map([NAME, "no such data"], [None, None]).result()


def test_a_failure_in_a_chunk_keeps_what_was_made_before_it(
    states: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(chunks, "ALONE", 1)
    with pytest.raises(UnusableInputError, match="no such data"):
        downloads()
    assert states == [("download and 1 more", "Failed")]
    pixels(KINDS[:1])
    assert ("download", "Cached") in states
