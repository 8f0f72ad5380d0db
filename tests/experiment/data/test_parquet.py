"""Parquet files that hold images and their labels, as Hugging Face and pandas write them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.ingestion import import_data
from tasks.experiment.errors import UnusableInputError
from tests.support.datasets import counts, found, images, kept


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


PIXELS = np.random.default_rng(3).integers(0, 256, (48, 6, 5), np.uint8)
FEATURES = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["owl", "bat", "cow"]}}


def stored(rows: slice, **columns: Any) -> pyarrow.Table:
    """As Hugging Face stores them: a struct of bytes and path, and labels by number, whose names the schema tells."""
    cells = [{"bytes": png(pixels), "path": None} for pixels in PIXELS[rows]]
    table = pyarrow.table({"image": cells, "label": pyarrow.array(np.arange(48)[rows] % 2)} | columns)
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})


def labelled(rows: slice) -> set[tuple[bytes, str]]:
    return {
        (image.tobytes(), ("owl", "bat")[i % 2]) for i, image in zip(np.arange(48)[rows], PIXELS[rows], strict=True)
    }


@pytest.mark.parametrize("folder", ["", "data", "plain_text"])
def test_hugging_faces_parquet_files_are_of_the_part_in_their_names(tmp_path: Path, folder: str) -> None:
    """Names in the order of the schema, and a class without images is none."""
    cuts = {"train-00000-of-00002": slice(0, 16), "train-00001-of-00002": slice(16, 32),
            "validation-00000-of-00001": slice(32, 40), "test-00000-of-00001": slice(40, 48)}  # fmt: skip
    (tmp_path / folder).mkdir(exist_ok=True)
    for name, rows in cuts.items():
        parquet.write_table(stored(rows), tmp_path / folder / f"{name}.parquet", row_group_size=5)
    data = import_data(tmp_path)
    assert data.classes == ("owl", "bat")
    assert counts(data) == {"owl": (16, 4, 4), "bat": (16, 4, 4)}
    assert found(data)["validation"] == {pixels for pixels, _ in labelled(slice(32, 40))}
    assert found(data)["test"] == {pixels for pixels, _ in labelled(slice(40, 48))}
    assert kept(data) == labelled(slice(None))
    before = fingerprint(tmp_path)
    parquet.write_table(stored(slice(40, 47)), tmp_path / folder / "test-00000-of-00001.parquet")
    assert fingerprint(tmp_path) != before


def test_a_parquet_file_of_pandas_with_bytes_names_and_splits(tmp_path: Path) -> None:
    split = ["train"] * 24 + ["val", "test"] * 12
    names = ["bat" if i % 2 else "owl" for i in range(48)]
    cells = [png(pixels) for pixels in PIXELS]
    file = tmp_path / "test.parquet"  # of a file that is given by itself the name tells nothing
    pd.DataFrame({"img": cells, "class": names, "split": split}).to_parquet(file)
    data = import_data(file)
    assert kept(data) == labelled(slice(None))
    assert found(data) == {
        "train": {pixels for pixels, _ in labelled(slice(0, 24))},
        "validation": {pixels for pixels, _ in labelled(slice(24, 48, 2))},
        "test": {pixels for pixels, _ in labelled(slice(25, 48, 2))},
    }


def test_rows_of_a_parquet_file_without_label_are_not_used(tmp_path: Path) -> None:
    """Hugging Face gives them −1, pandas none at all; and images of several sizes are made one size."""
    label = pyarrow.array([*(np.arange(40) % 2), *([-1] * 8)])
    parquet.write_table(stored(slice(None)).set_column(1, "label", label), tmp_path / "a.parquet")
    cells = [png(PIXELS[i, : 4 + i % 3]) for i in range(48)]
    whole = [i % 2 if i < 40 else None for i in range(48)]
    parquet.write_table(pyarrow.table({"image": cells, "label": whole}), tmp_path / "b.parquet")
    for name, shape in (("a", (6, 5)), ("b", (5, 5))):
        data = import_data(tmp_path / f"{name}.parquet")
        assert sum(sum(row) for row in counts(data).values()) == 40
        assert data.image_shape == shape
        assert "8 of 48 rows have no label: unlabelled images can't be used." in data.notes


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"image": None}, "must have a column image and one label; it has label"),
        ({"label": None}, "must have a column image and one label; it has image, kind"),
        ({"image": [{"bytes": None, "path": "a.png"}] * 48}, "holds no image in row 1, column image"),
        ({"image": ["a.png"] * 48}, "holds no image in row 1"),
        ({"image": [b"\x89PNG"] * 48}, "row 1 of .*bad.parquet is not a whole image of a kind that can be read"),
        ({"label": [[0, 1]] * 48}, "several labels in a row of its column label"),
        ({"label": [0.5] * 48}, "must be names, or whole numbers from 0"),
        ({"split": ["spare"] * 48}, "has the split 'spare', which is none of train, val and test"),
        ({"split": ["test"] * 48}, "holds no labelled images to train on"),
    ],
)
def test_a_parquet_file_that_cant_be_used_is_refused(tmp_path: Path, columns: dict[str, Any], says: str) -> None:
    cells = {"image": [png(pixels) for pixels in PIXELS], "label": np.arange(48) % 2, "kind": ["x"] * 48} | columns
    table = pyarrow.table({name: cell for name, cell in cells.items() if cell is not None})
    if "image" in columns and columns["image"] is None:
        table = table.drop_columns("kind")
    parquet.write_table(table, tmp_path / "bad.parquet")
    with pytest.raises(UnusableInputError, match=says):
        import_data(tmp_path / "bad.parquet")


def test_a_table_of_something_else_leaves_the_class_folders(tmp_path: Path) -> None:
    images(tmp_path / "a", 8), images(tmp_path / "b", 8)
    pd.DataFrame({"id": [1], "label": ["a"]}).to_parquet(tmp_path / "about.parquet")
    assert import_data(tmp_path).classes == ("a", "b")


def test_a_damaged_parquet_file_and_one_beyond_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "d.parquet"
    parquet.write_table(stored(slice(None)), file)
    monkeypatch.setattr("tasks.experiment.data.formats.tables.parquet_file.MAX_ROWS", 47)
    with pytest.raises(UnusableInputError, match=r"holds 48 rows, 0 GiB: the limits are 47 and 2 GiB"):
        import_data(file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UnusableInputError, match=r"d\.parquet can't be read as a Parquet file"):
        import_data(file)
