"""download: Fashion-MNIST's four files, verified, under data/raw."""

from prefect.logging import get_run_logger
from prefect.tasks import exponential_backoff

from tasks.experiment import sources
from tasks.experiment.dataset import DataSet, data_root
from tasks.progress import report_bytes
from tasks.stage import stage


async def _may_help(task: object, run: object, state: object) -> bool:
    """Retry transient failures only."""
    try:
        await state.aresult()  # type: ignore[attr-defined]
    except sources.TransientNoDataError:
        return True
    except Exception:
        return False
    return False


@stage(
    retries=3,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=0.5,
    retry_condition_fn=_may_help,
)
def download() -> DataSet:
    data = sources.fetch(report_bytes())
    get_run_logger().info("%d files, verified, in %s", len(data.files), data_root() / "raw")
    return data
