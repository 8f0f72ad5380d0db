"""Training, validation and test: the words by which folders, files and arrays say which of them they are."""

import re
from typing import Literal, get_args

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)
WORDS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "t10k": "test",  # MNIST's
}


def part_of(name: str) -> Part | None:
    """The part that a name stands for, letter case aside."""
    return WORDS.get(name.lower())


def first_part(path: str) -> Part | None:
    """The part that the first such word of a path stands for: "data/train-00000-of-00001.parquet"."""
    return next((part for word in re.findall("[a-z0-9]+", path.lower()) if (part := part_of(word))), None)
