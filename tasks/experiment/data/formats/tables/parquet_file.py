"""One Parquet file of images and labels: what it says of them, and its images a few at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.formats.images.image_files import ImageBytes
from tasks.experiment.data.formats.labelled import MAX_BYTES, some
from tasks.experiment.data.formats.parts import PARTS, first_part, part_of
from tasks.experiment.data.formats.tables.columns import IMAGE, LABEL, PART, column
from tasks.experiment.errors import UnusableInputError

AT_ONCE = 64  # rows that are read together
MAX_ROWS = 10_000_000
UNLABELLED = -1  # Hugging Face's label of an image without one
UNUSED = -1  # in the place of a part


@dataclass(frozen=True)
class Table:
    """One file. image, label: its columns; names: of its classes, class 0 first, if it tells them.

    places: of each row its part, as the place in PARTS; UNUSED of a row without label. labels: of all rows.
    """

    file: Path
    image: str
    label: str
    names: tuple[str, ...] | None
    places: NDArray[np.int8]
    labels: NDArray[Any]


def may_hold_images(file: Path) -> bool:
    """Whether it has a column of them, or can't be read: other tables may lie beside class folders."""
    import pyarrow
    from pyarrow import parquet

    try:
        return bool(column(parquet.read_schema(file).names, IMAGE))
    except (pyarrow.ArrowException, OSError):
        return True


def open_table(file: Path, root: Path | None) -> Table:
    """All of a file but its images. root: the folder below which names tell parts; None: they don't.

    Raises UnusableInputError if it is none of labelled images.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as stored:
            schema = stored.schema_arrow
            image, label, part = _columns(schema, file)
            rows, groups = stored.metadata.num_rows, stored.metadata.num_row_groups
            size = sum(stored.metadata.row_group(group).total_byte_size for group in range(groups))
            if rows > MAX_ROWS or size > MAX_BYTES:
                limits = f"{MAX_ROWS:,} and {MAX_BYTES >> 30} GiB"
                raise UnusableInputError(f"{file} holds {rows:,} rows, {size >> 30} GiB: the limits are {limits}")
            table = stored.read([label, *([part] if part else [])])
            return _table(file, root, table, (image, label, part), _class_names(schema, label))
    except UnusableInputError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UnusableInputError(f"{file} can't be read as a Parquet file: {error}") from error


def _table(
    file: Path, root: Path | None, table: Any, columns: tuple[str, str, str | None], names: tuple[str, ...] | None
) -> Table:
    """table: pyarrow's, of the columns (image, label, part) but the image."""
    import pyarrow

    image, label, part = columns
    if pyarrow.types.is_nested(table.column(label).type):
        raise UnusableInputError(f"{file} has several labels in a row of its column {label}: give one class per image")
    given = table.column(label).to_pandas().to_numpy()
    has_none = table.column(label).is_null().to_numpy(zero_copy_only=False)
    if names:
        has_none |= given == UNLABELLED
    if has_none.any() and given.dtype.kind == "f":  # whole numbers with gaps
        given = np.nan_to_num(given)
    if given.dtype.kind == "O":
        given = np.array([str(name) for name in given])
    if part:
        words = [str(word) for word in table.column(part).to_pylist()]
        if unknown := next((word for word in words if not part_of(word)), None):
            raise UnusableInputError(f"{file} has the {part} {unknown!r}, which is none of train, val and test")
        belong = [part_of(word) or "train" for word in words]
    else:
        belong = [(root and first_part(str(file.relative_to(root)))) or "train"] * len(given)
    places = np.array([PARTS.index(each) for each in belong], np.int8)
    return Table(file, image, label, names, np.where(has_none, np.int8(UNUSED), places), given)


def _columns(schema: Any, file: Path) -> tuple[str, str, str | None]:
    """(image, label, part)."""
    image, label, part = (column(schema.names, wanted) for wanted in (IMAGE, LABEL, PART))
    named = [name for name, feature in _features(schema).items() if feature.get("_type") == "ClassLabel"]
    label = label or (named[0] if len(named) == 1 else None)
    if not image or not label:
        raise UnusableInputError(
            f"{file} must have a column {IMAGE[0]} and one {LABEL[0]}; it has {some(schema.names) or 'none'}"
        )
    return image, label, part


def _class_names(schema: Any, label: str) -> tuple[str, ...] | None:
    names = _features(schema).get(label, {}).get("names")
    return tuple(map(str, names)) if isinstance(names, list) else None


def _features(schema: Any) -> dict[str, Any]:
    """What Hugging Face tells of the columns, if it does."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def images_of(table: Table, wanted: NDArray[np.bool_]) -> Iterator[ImageBytes]:
    """The images of the wanted rows. Raises UnusableInputError for one that is not there."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(table.file) as stored:
            row = 0
            for batch in stored.iter_batches(AT_ONCE, columns=[table.image]):
                for cell in batch.column(0):
                    if wanted[row]:
                        value = cell.as_py()
                        content = value.get("bytes") if isinstance(value, dict) else value
                        if not isinstance(content, bytes):
                            raise UnusableInputError(
                                f"{table.file} holds no image in row {row + 1}, column {table.image}: it must hold the "
                                "bytes of image files (of paths make a .csv table)"
                            )
                        yield ImageBytes(f"row {row + 1} of {table.file}", content)
                    row += 1
    except (pyarrow.ArrowException, OSError) as error:
        raise UnusableInputError(f"{table.file} can't be read as a Parquet file: {error}") from error
