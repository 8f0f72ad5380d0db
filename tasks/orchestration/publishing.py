"""How a run ends: with a state that says its verdict, an event if the answer moved, and house-keeping."""

from pathlib import Path

from prefect import State, get_run_logger
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.states import Completed
from upath import UPath

from tasks.experiment.reports.metrics import read_metrics
from tasks.storage.in_use import InUseError
from tasks.storage.runs import prune

REGRESSED = "headstart.answer.regressed"


def conclude(folder: Path | UPath) -> State[str]:
    """The run's last state: named by its verdict if it is a night, with one sentence; its data is the run's folder."""
    metrics = read_metrics(folder)
    verdict = metrics.get("verdict") or {"name": "Completed", "reason": metrics["answer"]}
    if verdict["name"] == "Regressed":
        resource = {"prefect.resource.id": f"prefect.flow-run.{flow_run.id}", "prefect.resource.name": folder.name}
        emit_event(REGRESSED, resource=resource, payload=verdict)
    return Completed(name=verdict["name"], message=verdict["reason"], data=str(folder))


def keep_newest(keep: int | None) -> None:
    """Prune, unless `keep` is None or another run is using the artifacts: the next night does it then."""
    if keep is None:
        return
    log = get_run_logger()
    try:
        removed = prune(keep)
    except InUseError as busy:
        log.info("Not pruned: %s", busy)
    else:
        log.info("Pruned to %d runs: %.1f MB removed", keep, sum(removal.bytes for removal in removed) / 1e6)
