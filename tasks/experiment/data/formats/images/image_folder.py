"""A folder of image files, one subfolder per class, perhaps below one folder for each part."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasks.experiment.data.class_names import in_order
from tasks.experiment.data.fitting import Sizing
from tasks.experiment.data.formats.files import visible, visible_files
from tasks.experiment.data.formats.images.image_files import is_image, read_images
from tasks.experiment.data.formats.labelled import BroughtData, Labelled, some
from tasks.experiment.data.formats.parts import PARTS, Part, part_of
from tasks.experiment.errors import UnusableInputError

LAYOUT = "a folder with one subfolder of images per class, directly or below train/, val/ and test/"
Classes = dict[str, Path]  # the folders of classes, by name


@dataclass
class Layout:
    """The class folders of each part, and below which folder they are; what was not used of all the rest."""

    classes: dict[Part, Classes] = field(default_factory=dict)
    origins: dict[Part, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, part: Part, folder: Path, classes: Classes) -> None:
        """Folders of classes, if there are any in `folder`, whose own images are in no class.

        Raises UnusableInputError if there are two such folders for one part.
        """
        if loose := [file for file in visible(folder) if is_image(file)]:
            where = f"{_files(len(loose), 'image')} in {folder.name}, but in no class folder"
            self.notes.append(f"{where}: unlabelled images can't be used.")
        if classes:
            if part in self.classes:
                raise UnusableInputError(f"{self.origins[part]} and {folder} are both for {part}: keep one of them")
            self.classes[part], self.origins[part] = classes, folder


def recognizes(path: Path) -> bool:
    return path.is_dir() and bool(_folders(path))


def read(path: Path, sizing: Sizing) -> BroughtData:
    layout = _layout(path)
    notes, files = layout.notes, {}
    for part, folders in layout.classes.items():
        files[part] = {name: list(visible_files(folder, path)) for name, folder in folders.items()}
    everything = [file for each in files.values() for found in each.values() for file in found]
    notes += _left_out([file for file in everything if not is_image(file)], path)
    images = {
        part: {name: found for name, given in each.items() if (found := [file for file in given if is_image(file)])}
        for part, each in files.items()
    }
    if not (classes := in_order(list(images["train"]))):
        raise UnusableInputError(f"there are no images to train on in {layout.origins['train']}: give {LAYOUT}")
    if empty := [name for name in layout.classes["train"] if name not in classes]:
        notes.append(f"Folders without images are no classes: {some(empty)}.")
    return _labelled(classes, images, layout, sizing, path)


def _labelled(
    classes: list[str], images: dict[Part, dict[str, list[Path]]], layout: Layout, sizing: Sizing, root: Path
) -> BroughtData:
    """The images of each part, with the places of their classes, letter case aside."""
    places = {name.lower(): place for place, name in enumerate(classes)} | {n: p for p, n in enumerate(classes)}
    files: dict[Part, list[tuple[int, Path]]] = {}
    for part, each in images.items():
        if unseen := [name for name in each if name not in places and name.lower() not in places]:
            raise UnusableInputError(
                f"{layout.origins[part]} has classes that {layout.origins['train']} does not have: {some(unseen)}"
            )
        found = [(places.get(name, places[name.lower()]), file) for name, own in each.items() for file in own]
        files[part] = sorted(found, key=lambda labelled: labelled[0])
    pixels, notes = read_images([file for each in files.values() for _, file in each], sizing)
    parts: dict[Part, Labelled] = {}
    ends = np.cumsum([len(each) for each in files.values()])
    for (part, labelled_files), mine in zip(files.items(), np.split(pixels, ends[:-1]), strict=True):
        if labelled_files:
            labels = np.array([place for place, _ in labelled_files], np.int64)
            names = tuple(str(file.relative_to(root)) for _, file in labelled_files)
            parts[part] = Labelled(mine, labels, str(layout.origins[part]), names)
    return BroughtData(tuple(classes), parts, notes=(*layout.notes, *notes))


def _layout(path: Path) -> Layout:
    """What the folders are: parts that hold classes, or classes. A folder `train` among classes may be one of them."""
    folders, layout = _folders(path), Layout()
    named: dict[Part, list[Path]] = {
        part: [folder for name, folder in folders.items() if part_of(name) == part] for part in PARTS
    }
    others = {name: folder for name, folder in folders.items() if not part_of(name)}
    if any(_folders(folder) for folder in named["train"]):
        for part in PARTS:
            for folder in named[part]:
                layout.add(part, folder, _folders(folder))
        for folder in others.values():
            if count := sum(is_image(file) for file in visible_files(folder, path)):
                layout.notes.append(f"{_files(count, 'image')} in {folder.name} left out: that is no part of the data.")
        return layout
    if not others:
        raise UnusableInputError(
            f"{path} has no training images in class folders: put them into train/ with one folder per class"
        )
    known = {name.lower() for name in others}
    parts: list[Part] = ["validation", "test"]
    for part in parts:
        for folder in named[part]:
            classes = _folders(folder)
            if classes and {name.lower() for name in classes} <= known:
                layout.add(part, folder, classes)
    taken = set(layout.origins.values())
    layout.add("train", path, {name: folder for name, folder in folders.items() if folder not in taken})
    return layout


def _folders(folder: Path) -> Classes:
    return {entry.name: entry for entry in visible(folder) if entry.is_dir()}


def _left_out(files: Iterable[Path], root: Path) -> list[str]:
    """A sentence on files that are no images, or of a kind that can't be read."""
    by_suffix: dict[str, list[Path]] = {}
    for file in files:
        by_suffix.setdefault(file.suffix.lower() or "no suffix", []).append(file)
    if not by_suffix:
        return []
    named = [f"{suffix} ({len(found):,}, such as {found[0].relative_to(root)})" for suffix, found in by_suffix.items()]
    count = sum(len(found) for found in by_suffix.values())
    return [f"Left out, by their names no images that can be read: {_files(count, 'file')}, {some(named)}."]


def _files(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
