"""Progress where people look: lines in the log, a bar in the terminal, an artifact in the UI."""

import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException
from prefect.futures import PrefectFuture, as_completed
from prefect.logging import get_run_logger
from prefect.logging.handlers import PrefectConsoleHandler
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.theme import Theme

from tasks.experiment.networks.recipe import Epoch, OnEpoch, OnStep, Training, unreported
from tasks.orchestration.ending import end_if_told

EPOCH_SECONDS = 1.0  # between two lines about one training run
STUDY_SECONDS = 5.0  # between two lines about a whole study
IN_BAR = {"in_bar": True}  # a log line that says what a bar in the terminal shows

SPEED_SECONDS = 3600.0  # the time left is told from how fast the last hour was

_in_chunk: ContextVar[bool] = ContextVar("in_chunk", default=False)  # a chunk's bar shows what is done
_bars = [Progress(disable=True, speed_estimate_period=SPEED_SECONDS)]  # the last one is in use: the terminal's, if any


@contextmanager
def bars_in_terminal() -> Iterator[None]:
    """Show bars below the log if this is a terminal; log lines that say the same appear in the UI only."""
    handlers = [h for h in logging.getLogger().handlers if isinstance(h, PrefectConsoleHandler)]
    if not (handlers and sys.stderr.isatty()):
        yield
        return
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}")
    # The log's own console: what is logged then appears above the bars instead of through them.
    console = handlers[0].console
    with (
        console.use_theme(Theme()),  # Prefect's theme has styles for log lines only
        Progress(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, speed_estimate_period=SPEED_SECONDS
        ) as bars,
    ):
        _bars.append(bars)
        handlers[0].addFilter(_is_not_in_bar)
        try:
            yield
        finally:
            handlers[0].removeFilter(_is_not_in_bar)
            _bars.remove(bars)


def _is_not_in_bar(record: logging.LogRecord) -> bool:
    return not hasattr(record, "in_bar")


class _Bar:
    """One line among the terminal's bars until it is full; without a terminal it is counted but not shown."""

    def __init__(self, description: str, total: float) -> None:
        self._total = total
        self._bars = _bars[-1]
        self._line = self._bars.add_task(description, total=total)

    def show(self, done: float, *, computed: bool = True) -> None:
        """computed: not what the cache had, which says nothing about how long the rest will take."""
        if not computed:
            self._bars.reset(self._line, completed=round(done))
        self._bars.update(self._line, completed=done, visible=done < self._total)

    def seconds_left(self) -> float | None:
        return next(line.time_remaining for line in self._bars.tasks if line.id == self._line)


def _left(bar: _Bar) -> str:
    left = bar.seconds_left()
    return f", about {timedelta(seconds=math.ceil(left))} left" if left else ""


def _once_in(seconds: float) -> Callable[[], bool]:
    """A function that is true at most once in that time, so that neither log nor server is flooded."""
    shown = time.monotonic()

    def due() -> bool:
        nonlocal shown
        now = time.monotonic()
        if now - shown < seconds:
            return False
        shown = now
        return True

    return due


class ProgressInUI:
    """A progress artifact. If the server is gone, that costs a warning and not the run."""

    def __init__(self, key: str, description: str) -> None:
        self._artifact: Any = None
        with best_effort():
            self._artifact = create_progress_artifact(0.0, key=key, description=description)

    def show(self, percent: float, description: str | None = None) -> None:
        artifact, self._artifact = self._artifact, None  # after a failure no second try: each takes a minute
        if artifact:
            with best_effort():
                update_progress_artifact(artifact, progress=percent, description=description)
                self._artifact = artifact


@contextmanager
def best_effort() -> Iterator[None]:
    """For what is only shown in the UI: a server that is gone must not make a run fail."""
    try:
        yield
    except (httpx.HTTPError, PrefectException) as error:
        get_run_logger().warning("Prefect's server does not answer, so its UI will not show everything: %s", error)


def report_epochs(name: str, training: Training, *, in_ui: bool) -> OnEpoch:
    """A callback for the trainer: (epoch's number, its figures). `in_ui`: long enough to be watched there."""
    if _in_chunk.get():
        return lambda number, epoch: None
    log = get_run_logger()
    bar, due = _Bar(name, training.epochs), _once_in(EPOCH_SECONDS)
    key = name.split()[0].lower().replace("_", "-")
    shown = ProgressInUI(key, f"{name}: epochs") if in_ui else None

    def report(number: int, epoch: Epoch) -> None:
        end_if_told()
        bar.show(number)
        is_last = number == training.epochs
        if not (due() or is_last):
            return
        text = f"epoch {number}/{training.epochs}: loss {epoch.loss:.4f}, validation loss {epoch.validation_loss:.4f}, "
        text += f"validation accuracy {epoch.validation_accuracy:.4f}{_left(bar)}"
        log.info(text, extra=None if is_last else IN_BAR)
        if shown:
            shown.show(100 * number / training.epochs, f"{name}, {text}")

    return report


def report_steps(name: str, what: str) -> OnStep:
    """A callback for a task of many steps: a bar of its own, or lines in the log, with the time left."""
    if _in_chunk.get():
        return unreported
    log, due = get_run_logger(), _once_in(STUDY_SECONDS)
    bar: _Bar | None = None

    def report(done: int, total: int) -> None:
        nonlocal bar
        end_if_told()
        bar = bar or _Bar(name, total)
        bar.show(done)
        if due() and done < total:
            log.info("%d of %d %s%s", done, total, what, _left(bar), extra=IN_BAR)

    return report


@contextmanager
def counting(name: str) -> Iterator[OnStep]:
    """Show how many calls of a chunk are done, with the callback that it gives; what they report is left out."""
    count, before = report_steps(name, "calls"), _in_chunk.set(True)
    try:
        yield count
    finally:
        _in_chunk.reset(before)


def watch(name: str, training_runs: list[PrefectFuture[Any]]) -> None:
    """Show how many training runs have ended, and about how long the others will take, until all have."""
    log = get_run_logger()
    bar, due, total = _Bar(name, len(training_runs)), _once_in(STUDY_SECONDS), len(training_runs)
    shown = ProgressInUI(f"{name}-progress", f"{total} training runs")
    for done, training_run in enumerate(as_completed(training_runs), start=1):
        training_run.wait()  # it has ended: keeps its state, which would else be the server's, perhaps out of date
        bar.show(done, computed=training_run.state.name != "Cached")
        if not (due() or done == total):
            continue
        text = f"{done} of {total} training runs{_left(bar)}"
        log.info(text, extra=IN_BAR)
        shown.show(100 * done / total, text)


def report_bytes() -> Callable[[str, int, int], None]:
    """A callback for downloads: (file, megabytes so far, in all)."""
    bars: dict[str, _Bar] = {}

    def report(file: str, done: int, total: int) -> None:
        if file not in bars:
            bars[file] = _Bar(f"download {file} (MB)", total / 1e6)
        bars[file].show(done / 1e6)

    return report
