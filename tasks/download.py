"""download: the data sets, verified. Fashion-MNIST's files under data/raw, or your own data in the store."""

from prefect.logging import get_run_logger
from prefect.tasks import exponential_backoff

from tasks.experiment.data import fashion_mnist, mirrors
from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.fitting import Fit, Sizing
from tasks.experiment.data.formats.files import given_path
from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.ingestion import complete, fitted, import_data
from tasks.experiment.errors import UnusableInputError
from tasks.orchestration.stage import stage
from tasks.orchestration.terminal.progress import report_bytes
from tasks.storage.files import printable


async def _may_help(task: object, run: object, state: object) -> bool:
    """Retry transient failures only."""
    try:
        await state.aresult()  # type: ignore[attr-defined]
    except mirrors.TransientNoDataError:
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
def download(
    dataset: str,
    content: str | None,
    sizing: Sizing = Sizing(),  # noqa: B008 (frozen)
) -> DataSet:
    """content: a hash of your own data, so that changed data are never served from the cache."""
    log = get_run_logger()
    if dataset == fashion_mnist.NAME:
        files = mirrors.fetch(report_bytes())
        log.info("%d files, verified, in %s", len(files), files[0].parent)
        data = complete(fitted(fashion_mnist.data_set(), sizing))
    else:
        path = given_path(dataset)
        data = import_data(path, sizing)
        if fingerprint(path) != content:
            raise UnusableInputError(f"{dataset} changed while it was read: run again")
        log.info("%s: %d classes, images of the shape %s", printable(dataset), len(data.classes), data.image_shape)
    return data


def open_data(dataset: str, sizing: Sizing) -> DataSet:
    """Download or import the data set of that name or at that path, if it has not been; the log has its notes."""
    content = None if dataset == fashion_mnist.NAME else fingerprint(given_path(dataset))
    data = download(dataset, content, sizing)
    for note in data.notes:
        get_run_logger().warning("%s: %s", printable(dataset), printable(note))
    return data


def open_source(data: DataSet, source_dataset: str | None, source_model: str | None, image_fit: Fit) -> DataSet | None:
    """The data set of task A: that of task B (`data`), or another one, made to fit its size and colours.

    None if a trained model takes A's place.
    """
    if source_model:
        return None
    if not source_dataset:
        return data
    height, width = data.image_shape[:2]
    return open_data(source_dataset, Sizing(size=(height, width), fit=image_fit, colour=len(data.image_shape) == 3))
