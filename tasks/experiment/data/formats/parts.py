"""Training, validation and test: the words by which folders, files and arrays say which of them they are."""

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
