"""The names of columns by which tables say what is in them, letter case aside."""

from collections.abc import Iterable

FILE = ("file_name", "filename", "file", "path", "image_path", "filepath", "image", "image_id", "image_name", "id")
IMAGE = ("image", "img", "picture", "images")  # of bytes
LABEL = ("label", "class", "category", "target", "labels", "class_name")
PART = ("split", "part", "set", "subset")


def column(columns: Iterable[str], wanted: tuple[str, ...]) -> str | None:
    """The first of the wanted columns that there is, as the table calls it."""
    names = {name.strip().lower(): name for name in columns}
    return next((names[name] for name in wanted if name in names), None)
