"""What runs are called in the UI, and their folders."""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coolname.data import config
from prefect.runtime import deployment, flow_run
from upath import UPath

from tasks.experiment.settings import Experiment
from tasks.storage.runs import INDEX, LATEST

LONGEST = 120  # characters of a name; of a data set or a network in it there are a quarter as many


def describe_pairs(given: dict[str, Any]) -> list[str]:
    """The data set and the network, if they are not the usual ones; samples and seeds."""
    experiment, usual, parts = Experiment.model_validate(given["experiment"]), Experiment(), []
    if experiment.dataset != usual.dataset:
        parts.append(as_file_name(Path(experiment.dataset).stem, LONGEST // 4))
    if experiment.source_model or experiment.network != usual.network:
        parts.append(as_file_name(Path(experiment.source_model or experiment.network).stem, LONGEST // 4))
    last = given["seed"] + given["replicates"] - 1
    return [*parts, f"{experiment.target_samples}-samples-seeds-{given['seed']}-{last}"]


def run_name(prefix: str, describe: Callable[[dict[str, Any]], list[str]] = describe_pairs) -> str:
    """What the run in progress is, and unique: unless somebody gave it a name, which it keeps.

    The time that it was to start, so that names sort by it; `prefix`, its deployment, what `describe` says of its
    parameters, and the start of the run's id.
    """
    if not is_made_up(flow_run.name):
        return str(flow_run.name)
    parts = [deployment.name or "", *describe(flow_run.parameters), short_id()]
    return f"{flow_run.scheduled_start_time:%Y%m%d-%H%M%S}-{prefix}{'-'.join(filter(None, parts))}"


def is_made_up(name: str) -> bool:
    """Whether Prefect gave the run its name, since nobody else did: two words of its vocabulary."""
    words = name.split("-")
    return len(words) == 2 and _vocabulary().issuperset(words)


@functools.cache
def _vocabulary() -> frozenset[str]:
    lists: Any = config.values()
    return frozenset(word for part in lists if part.get("type") == "words" for word in part["words"])


def folder_name(runs: Path | UPath) -> str:
    """Of the run in progress, in that folder: its name, and the start of its id if the name is taken."""
    name = as_file_name(flow_run.name) or "run"
    if name.endswith(short_id()) or (name not in (INDEX, LATEST) and not (runs / name).exists()):
        return name
    return f"{name}-{short_id()}"


def as_file_name(name: str, longest: int = LONGEST) -> str:
    """Letters, digits, dots and dashes of it."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", name)[:longest].strip("-.")


def short_id() -> str:
    return str(flow_run.id)[:8]
