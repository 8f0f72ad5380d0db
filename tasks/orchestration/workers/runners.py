"""Where a flow trains its models: in threads of its own process, or in the processes of a Dask cluster.

No stage knows which. What travels to a Dask worker is a stage's name and handles: the worker has its own code,
artifacts and Prefect address.
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
        description="Where models are trained: threads, dask (one process per core), or the address of a Dask "
        "scheduler, such as tcp://127.0.0.1:8786. Deployments take it from HEADSTART_RUNNER."
    ),
]


def configured_runner() -> str:
    """HEADSTART_RUNNER, or threads."""
    return os.environ.get("HEADSTART_RUNNER") or THREADS


def task_runner(where: str) -> TaskRunner[Any]:
    """As many training runs at a time as there are cores, here or on the cluster."""
    if where == THREADS:
        return ThreadPoolTaskRunner(max_workers=CORES)
    from tasks.orchestration.workers.dask_cluster import ClusterTaskRunner

    if where == DASK:
        processes = {"n_workers": CORES, "threads_per_worker": 1}
        # On loopback, by certificates of this run, and without a page: whoever reaches the scheduler runs code.
        closed = {"security": True, "dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}
        return ClusterTaskRunner(cluster_kwargs=processes | closed)
    return ClusterTaskRunner(address=where)
