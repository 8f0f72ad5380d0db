"""Progress where people look: lines in the log, a bar in the terminal, an artifact in the UI."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger
from prefect.logging.handlers import PrefectConsoleHandler
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.theme import Theme

from tasks.experiment.recipe import Training

ARTIFACT_SECONDS = 1.0  # at most one update of the UI's artifact in this time: each one is a request

_bars: list[Progress] = []  # the terminal's, while there is one


@contextmanager
def bars_in_terminal() -> Iterator[None]:
    """Show bars below the log if this is a terminal; the log's epoch lines then stay out of it (the UI has them)."""
    handlers = [h for h in logging.getLogger().handlers if isinstance(h, PrefectConsoleHandler)]
    if not (handlers and sys.stderr.isatty()):
        yield
        return
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}")
    # The log's own console: what is logged then appears above the bars instead of through them.
    console = handlers[0].console
    with (
        console.use_theme(Theme()),  # Prefect's knows the styles of log lines only
        Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bars,
    ):
        _bars.append(bars)
        handlers[0].addFilter(_is_not_an_epoch)
        try:
            yield
        finally:
            handlers[0].removeFilter(_is_not_an_epoch)
            _bars.remove(bars)


def _is_not_an_epoch(record: logging.LogRecord) -> bool:
    return not hasattr(record, "epoch")


class _Bar:
    """One line among the terminal's bars until it is full; nothing where there is no terminal."""

    def __init__(self, description: str, total: float) -> None:
        self._total = total
        self._bars = _bars[0] if _bars else None
        self._line = self._bars.add_task(description, total=total) if self._bars else TaskID(0)

    def show(self, done: float) -> None:
        if self._bars:
            self._bars.update(self._line, completed=done, visible=done < self._total)


def report_epochs(name: str, training: Training, *, in_ui: bool) -> Callable[[int, Any], None]:
    """A callback for the trainer: (epoch's number, its figures). `in_ui`: long enough to be watched there."""
    log = get_run_logger()
    bar = _Bar(name, training.epochs)
    key = name.lower().replace("_", "-").replace(" ", "-")
    artifact: Any = create_progress_artifact(0.0, key=key, description=f"{name}: epochs") if in_ui else None
    shown = time.monotonic()

    def report(number: int, epoch: Any) -> None:
        nonlocal shown
        log.info(
            "epoch %d/%d: loss %.4f, validation loss %.4f, validation accuracy %.4f",
            number, training.epochs, epoch.loss, epoch.validation_loss, epoch.validation_accuracy,
            extra={"epoch": number},
        )  # fmt: skip
        bar.show(number)
        last = number == training.epochs
        if artifact and (last or time.monotonic() - shown >= ARTIFACT_SECONDS):
            shown = time.monotonic()
            update_progress_artifact(artifact, progress=100 * number / training.epochs)

    return report


def report_bytes() -> Callable[[str, int, int], None]:
    """A callback for downloads: (file, megabytes so far, in all)."""
    bars: dict[str, _Bar] = {}

    def report(file: str, done: int, total: int) -> None:
        if file not in bars:
            bars[file] = _Bar(f"download {file} (MB)", total / 1e6)
        bars[file].show(done / 1e6)

    return report
