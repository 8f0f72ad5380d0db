"""Where the trainings of a flow run: in threads of its process, or in processes of a Dask cluster.

No task knows. What travels to a Dask worker is a task and handles; code, artifacts and Prefect's server it has itself.
"""

import os
from typing import Annotated, Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import Field

THREADS, DASK = "threads", "dask"
CORES = os.cpu_count() or 1

Runner = Annotated[
    str,
    Field(
        description="Where trainings run: threads, dask (a process for each core), or the address of a Dask "
        "scheduler, such as tcp://127.0.0.1:8786. HEADSTART_RUNNER says it for deployments."
    ),
]


def configured_runner() -> str:
    """HEADSTART_RUNNER, or threads."""
    return os.environ.get("HEADSTART_RUNNER") or THREADS


def task_runner(where: str) -> TaskRunner[Any]:
    """As many trainings at a time as there are cores, here or on the cluster."""
    if where == THREADS:
        return ThreadPoolTaskRunner(max_workers=CORES)  # type: ignore[arg-type]
    from tasks.orchestration.dask_cluster import ClusterTaskRunner

    if where == DASK:
        processes = {"n_workers": CORES, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
        return ClusterTaskRunner(cluster_kwargs=processes)
    return ClusterTaskRunner(address=where)
