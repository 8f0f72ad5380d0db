"""What a run remembers of the stages that it called, wherever they run."""

import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest
from prefect import flow, unmapped
from prefect.flows import load_flow_from_entrypoint

from tasks.download import download
from tasks.experiment.data.fashion_mnist import NAME
from tasks.experiment.data.fitting import Sizing
from tasks.normalize import normalize
from tasks.orchestration.provenance import artifacts_of_run, made_with
from tasks.orchestration.stage import _again_if_parsing_failed, computing
from tasks.orchestration.workers.runners import task_runner
from tasks.storage.roots import ROOT

pytestmark = pytest.mark.usefixtures("prefect_server")


@flow
def two_kinds_of_pixels() -> tuple[set[str], dict[str, dict[str, str]]]:
    """What the run came from, as a run is asked for it at its end; one of its mapped stages fails."""
    with computing(refresh=False):
        data = download(NAME, None, Sizing())
        pixels = normalize.map(unmapped(data), ["standardize", "none"])
        download.map(["/no/such/data"], [None])
        paths = {artifact.path for artifact in artifacts_of_run()}
        assert paths == {artifact.path for artifact in pixels.result()}
        return paths, made_with()


@pytest.mark.parametrize("runner", ["threads", pytest.param("dask", marks=pytest.mark.slow)])
def test_a_run_knows_what_it_came_from(runner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path))
    run = two_kinds_of_pixels.with_options(task_runner=task_runner(runner))
    computed, (came_from, code) = run(), run()
    assert computed == (came_from, code)  # that of the second one from the cache
    assert came_from == {str(path.relative_to(tmp_path)) for path in tmp_path.glob("store/*/*")}
    assert len(came_from) == 2
    assert {"tasks.download", "tasks.normalize"} <= code["code"].keys()
    assert not {"tasks.train", "tasks.report", "tasks.orchestration.stage"} & code["code"].keys()
    assert code["environment"].keys() >= {"python", "machine", "tensorflow", "keras", "numpy"}


@pytest.mark.parametrize(
    "entrypoint", ["flows/transfer_learning.py:transfer_learning", "flows/study.py:transfer_study"]
)
def test_a_flow_that_a_worker_loaded_from_its_file_can_be_sent_to_other_machines(entrypoint: str) -> None:
    sent = cloudpickle.dumps(load_flow_from_entrypoint(str(ROOT / entrypoint)))
    elsewhere = "import pickle, sys; print(pickle.load(sys.stdin.buffer).name)"
    done = subprocess.run([sys.executable, "-c", elsewhere], input=sent, capture_output=True, check=True)
    assert done.stdout.decode().strip().startswith("transfer-")


def test_outside_a_run_nothing_is_remembered() -> None:
    with pytest.raises(LookupError):
        artifacts_of_run()


@pytest.mark.parametrize("says", ["AST constructor recursion depth mismatch (before=57, after=55)", "something else"])
def test_a_stage_goes_on_where_cpython_stumbled_over_two_threads_that_parse(says: str) -> None:
    calls = []

    def stumbles() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise SystemError(says)
        return 3

    if says == "something else":
        with pytest.raises(SystemError, match=says):
            _again_if_parsing_failed(stumbles)()
    else:
        assert _again_if_parsing_failed(stumbles)() == 3
