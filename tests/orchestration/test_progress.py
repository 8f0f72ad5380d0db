"""What people are told of how long it will take."""

import logging
import uuid
from concurrent.futures import Future

import pytest
from prefect.client.schemas.objects import State
from prefect.futures import PrefectConcurrentFuture
from prefect.states import Completed
from rich.progress import Progress

from tasks.orchestration.terminal import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock for the bars, in seconds, that moves when it is set."""
    clock = [0.0]
    bars = Progress(disable=True, get_time=lambda: clock[0], speed_estimate_period=progress.SPEED_SECONDS)
    monkeypatch.setattr(progress, "_bars", [bars])
    return clock


def test_what_the_cache_had_does_not_count_as_speed(clock: list[float]) -> None:
    """36 of 40 are there after a second; each of the others takes a minute."""
    bar = progress._Bar("study", 40)
    for done in range(1, 37):
        clock[0] = done / 36
        bar.show(done, computed=False)
    assert bar.seconds_left() is None, "nothing has been computed yet"
    for done in (37, 38):
        clock[0] += 60
        bar.show(done)
    assert bar.seconds_left() == pytest.approx(2 * 60, abs=1)


def test_without_a_cache_the_speed_so_far_counts(clock: list[float]) -> None:
    bar = progress._Bar("study", 10)
    for done in range(1, 5):
        clock[0] += 30
        bar.show(done)
    assert bar.seconds_left() == pytest.approx(6 * 30, abs=1)


def test_what_the_cache_had_is_known_before_the_server_knows_it(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect tells its server of a task's end some time after the end, on a busy machine long after it."""
    monkeypatch.setattr(progress, "get_run_logger", lambda: logging.getLogger("of a flow"))
    monkeypatch.setattr(progress, "create_progress_artifact", lambda *_, **__: None)
    cached, shown = Future[State[None]](), []
    cached.set_result(Completed(name="Cached"))
    monkeypatch.setattr(progress._Bar, "show", lambda _, done, *, computed: shown.append((done, computed)))
    progress.watch("study", [PrefectConcurrentFuture(uuid.uuid4(), cached)])  # no server has heard of this task run
    assert shown == [(1, False)]


def test_a_task_of_many_steps_has_a_bar_and_a_line_in_the_log(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "get_run_logger", lambda: logging.getLogger("of a task"))
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with caplog.at_level(logging.INFO, logger="of a task"):
        report = progress.report_steps("train_arms seed 42", "networks")
        for done in range(1, 5):
            clock[0] += 30
            report(done, 4)
    (line,) = progress._bars[-1].tasks
    assert (line.description, line.completed, line.total, line.visible) == ("train_arms seed 42", 4, 4, False)
    assert caplog.messages[1:] == ["2 of 4 networks, about 0:01:00 left", "3 of 4 networks, about 0:00:30 left"]
