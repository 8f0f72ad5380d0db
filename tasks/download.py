"""download: the data set, verified. Fashion-MNIST's files under data/raw, or data of one's own in the store."""

from pathlib import Path

from prefect.logging import get_run_logger
from prefect.tasks import exponential_backoff

from tasks.experiment import fashion_mnist, sources
from tasks.experiment.dataset import DataSet, UnusableInputError, data_root
from tasks.experiment.importing import import_data, keep_arrays
from tasks.experiment.look import suspicions
from tasks.experiment.own_data import fingerprint
from tasks.experiment.roots import is_shared
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
def download(dataset: str, content: str | None) -> DataSet:
    """content: a hash of data of one's own, so that changed data are never served from the cache."""
    log = get_run_logger()
    if dataset == fashion_mnist.NAME:
        data = sources.fetch(report_bytes())
        data = data.model_copy(update={"notes": tuple(suspicions(data))})
        log.info("%d files, verified, in %s", len(data.raw), data_root() / "raw")
    else:
        data = import_data(Path(dataset))
        if fingerprint(Path(dataset)) != content:
            raise UnusableInputError(f"{dataset} changed while it was read: run again")
        log.info("%s: %d classes, images of the shape %s", dataset, len(data.classes), data.image_shape)
    if is_shared():
        data = keep_arrays(data)
    for note in data.notes:
        log.warning("%s: %s", dataset, note)
    return data


def open_data(dataset: str) -> DataSet:
    """Download or import the data set of that name or at that path, if it has not been."""
    return download(dataset, None if dataset == fashion_mnist.NAME else fingerprint(Path(dataset)))
