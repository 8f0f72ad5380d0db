"""What runs are called."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect.utilities.names import generate_slug

from flows.study import transfer_study
from tasks.experiment.settings import Experiment
from tasks.orchestration import run_names
from tasks.orchestration.run_names import describe_pairs, folder_name, is_made_up, run_name

ID = "0123abcd-0000-0000-0000-000000000000"


@pytest.fixture
def this(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The run in progress."""
    parameters = {"experiment": Experiment(), "seed": 42, "replicates": 2}
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    run = SimpleNamespace(id=ID, name="fat-cat", parameters=parameters, scheduled_start_time=start)
    monkeypatch.setattr(run_names, "flow_run", run)
    monkeypatch.setattr(run_names, "deployment", SimpleNamespace(name=None))
    return run


def test_prefects_own_names_are_told_from_those_that_somebody_gave() -> None:
    assert all(is_made_up(generate_slug(2)) for _ in range(200))
    for name in ("baseline", "my-run", "big-test", "lr-0.01", "200-samples-seeds-42-46-0123abcd", "", "-", "new"):
        assert not is_made_up(name)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "200-samples-seeds-42-43-0123abcd"),
        ({"dataset": "/data/my flowers.npz", "network": "cnn"}, "my-flowers-cnn-200-samples-seeds-42-43-0123abcd"),
        ({"source_model": "../models/A.keras"}, "A-200-samples-seeds-42-43-0123abcd"),
        ({"dataset": ".."}, "200-samples-seeds-42-43-0123abcd"),
    ],
)
def test_made_names_sort_by_time_and_say_what_is_not_usual(this: SimpleNamespace, settings: dict, name: str) -> None:
    this.parameters["experiment"] = Experiment(**settings)
    assert run_name("", describe_pairs) == f"20260102-030405-{name}"
    assert run_name("study-", describe_pairs) == f"20260102-030405-study-{name}"


@pytest.mark.parametrize(("replicates", "last"), [(29, 49), (3, 44)])
def test_a_quick_study_tells_the_seeds_that_it_has(this: SimpleNamespace, replicates: int, last: int) -> None:
    this.parameters |= {"replicates": replicates, "quick": True}
    assert transfer_study.flow_run_name() == f"20260102-030405-study-200-samples-seeds-42-{last}-0123abcd"  # type: ignore[operator]


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("baseline", "baseline"),
        ("200-samples-seeds-42-43-0123abcd", "200-samples-seeds-42-43-0123abcd"),
        ("../../etc/x", "etc-x"),
        ("é\n<b>", "b"),
        ("💥", "run"),
        ("x" * 300, "x" * 120),
    ],
)
def test_a_given_name_is_kept_and_is_the_folders(
    this: SimpleNamespace, tmp_path: Path, given: str, folder: str
) -> None:
    this.name = given
    assert run_name("study-", describe_pairs) == given
    assert folder_name(tmp_path) == folder


def test_a_name_that_another_run_has_had_makes_another_folder(this: SimpleNamespace, tmp_path: Path) -> None:
    this.name = "baseline"
    (tmp_path / "baseline").mkdir()
    assert folder_name(tmp_path) == "baseline-0123abcd"
    this.name = "index.html"
    assert folder_name(tmp_path) == "index.html-0123abcd"
