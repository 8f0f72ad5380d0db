"""CSV tables of image files and their labels, as Hugging Face and Kaggle have them, and as anyone writes them."""

from pathlib import Path

import pytest
from PIL import Image

from tasks.experiment.data.formats.reading import fingerprint
from tasks.experiment.data.ingestion import import_data
from tasks.experiment.errors import UnusableInputError
from tests.support.datasets import counts, found, images, kept


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_ARTIFACTS", str(tmp_path / "artifacts"))


def write_table(path: Path, header: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]), "utf-8")
    return path


def numbered(count: int, form: str) -> list[str]:
    return [form.format(i=i, label="ab"[i % 2]) for i in range(count)]


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("file_name,label", "pictures/png{i}.png,{label}"),
        ("ID,Category,Path", "{i},{label},pictures/png{i}.png"),
        ('"filename","class"', '"pictures/../pictures/png{i}.png","{label}"'),
    ],
)
def test_a_table_of_files(tmp_path: Path, header: str, form: str) -> None:
    written = images(tmp_path / "data/pictures", 20)
    path = write_table(tmp_path / "data/table.csv", header, numbered(20, form))
    data = import_data(path)
    assert kept(data) == {(pixels, "ab"[i % 2]) for i, pixels in enumerate(written)}
    assert counts(data) == {"a": (7, 1, 2), "b": (7, 1, 2)}


def test_a_table_says_which_part_a_file_is_of(tmp_path: Path) -> None:
    written = images(tmp_path / "pictures", 20)
    part = ["Train"] * 12 + ["valid"] * 4 + ["test"] * 4
    rows = [f"{row},{part[i]}" for i, row in enumerate(numbered(20, "pictures/png{i}.png,{label}"))]
    data = import_data(write_table(tmp_path / "table.csv", "image,label,split", rows))
    assert found(data) == {
        "train": set(written[:12]), "validation": set(written[12:16]), "test": set(written[16:])
    }  # fmt: skip
    with pytest.raises(UnusableInputError, match="has the split 'spare', which is none of train, val and test"):
        import_data(write_table(tmp_path / "table.csv", "image,label,split", [rows[0].replace("Train", "spare")]))


@pytest.mark.parametrize("of_each_part", [False, True])
def test_metadata_of_a_folder(tmp_path: Path, of_each_part: bool) -> None:
    train, test = images(tmp_path / "train", 16), images(tmp_path / "test", 6)
    if of_each_part:
        for part, count in (("train", 16), ("test", 6)):
            write_table(tmp_path / part / "metadata.csv", "file_name,label", numbered(count, "png{i}.png,{label}"))
    else:
        rows = numbered(16, "train/png{i}.png,{label}") + numbered(6, "test/png{i}.png,{label}")
        write_table(tmp_path / "metadata.csv", "file_name,label", rows)
    data = import_data(tmp_path)
    assert found(data)["test"] == set(test)
    assert kept(data) == {(pixels, "ab"[i % 2]) for part in (train, test) for i, pixels in enumerate(part)}


def test_metadata_without_labels_leaves_the_class_folders(tmp_path: Path) -> None:
    images(tmp_path / "a", 8), images(tmp_path / "b", 8)
    write_table(tmp_path / "metadata.csv", "file_name,caption", ["a/png0.png,something"])
    assert import_data(tmp_path).classes == ("a", "b")


def test_rows_without_label_and_labels_that_are_numbers(tmp_path: Path) -> None:
    images(tmp_path / "x", 20)
    rows = [f"x/png{i}.png,{1 + i % 2 if i < 18 else ''}" for i in range(20)]
    write_table(tmp_path / "table.csv", "file,label", rows)
    (tmp_path / "table.classes.txt").write_text("no\nyes\n")
    data = import_data(tmp_path / "table.csv")
    assert data.classes == ("no", "yes")
    assert "2 of 20 rows have no label: unlabelled images can't be used." in data.notes


def test_a_tables_fingerprint_is_of_its_files_too(tmp_path: Path) -> None:
    images(tmp_path / "x", 4)
    path = write_table(tmp_path / "table.csv", "file,label", numbered(4, "x/png{i}.png,{label}"))
    before = fingerprint(path)
    Image.new("L", (6, 5)).save(tmp_path / "x/png2.png")
    assert fingerprint(path) != before


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("/etc/passwd,a", "etc/passwd leads to /etc/passwd, outside of"),
        ("../../secret.png,a", "outside of"),
        ("x/gone.png,a", "gone.png does not exist"),
        (",a", "is not a regular file"),
        ("table.csv,a", "table.csv is not a whole image"),
    ],
)
def test_a_table_names_images_inside_its_folder_only(tmp_path: Path, row: str, says: str) -> None:
    images(tmp_path / "data/x", 4)
    path = write_table(tmp_path / "data/table.csv", "file,label", [*numbered(4, "x/png{i}.png,{label}"), row])
    with pytest.raises(UnusableInputError, match=says):
        import_data(path)


def test_a_table_without_the_columns_names_those_it_has(tmp_path: Path) -> None:
    path = write_table(tmp_path / "table.csv", "a,b", ["1,2"])
    with pytest.raises(UnusableInputError, match="must have a column file_name and one label; it has a, b"):
        import_data(path)


@pytest.mark.parametrize("place", ["", "train", "images", "train_images"])
@pytest.mark.parametrize("header", ["id,breed", "image_id,label", "filename,category"])
def test_kaggles_table_names_files_without_suffix_or_folder(tmp_path: Path, header: str, place: str) -> None:
    """labels.csv of two columns, with the training images beside it or below it, and a test/ without labels."""
    written = images(tmp_path / place, 20, ".jpg.png")
    for number, file in enumerate(sorted((tmp_path / place).iterdir(), key=lambda file: int(file.name[7:-8]))):
        file.rename(tmp_path / place / f"{number:04x}.png")
    images(tmp_path / "test", 3)
    write_table(tmp_path / "sample_submission.csv", "id,a,b", ["0,0.5,0.5"])
    write_table(tmp_path / "labels.csv", header, [f"{i:04x},{'ab'[i % 2]}" for i in range(20)])
    for path in (tmp_path, tmp_path / "labels.csv"):
        data = import_data(path)
        assert kept(data) == {(pixels, "ab"[i % 2]) for i, pixels in enumerate(written)}
        assert counts(data) == {"a": (7, 1, 2), "b": (7, 1, 2)}


def test_an_id_without_file_is_named(tmp_path: Path) -> None:
    images(tmp_path, 4)
    path = write_table(tmp_path / "labels.csv", "id,label", [*numbered(4, "png{i},{label}"), "gone,a"])
    with pytest.raises(UnusableInputError, match="gone does not exist"):
        import_data(path)


def test_another_labels_csv_leaves_the_class_folders(tmp_path: Path) -> None:
    """For example one that tells the name of each class."""
    images(tmp_path / "0", 8), images(tmp_path / "1", 8)
    write_table(tmp_path / "labels.csv", "id,name", ["0,cat", "1,dog"])
    assert import_data(tmp_path).classes == ("0", "1")
