"""What a kept model says about image files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.fitting import Fit, Frame, picture_to_fit
from tasks.experiment.data.formats.files import visible_files
from tasks.experiment.data.formats.images.image_files import ImageFile, is_image, read_image
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.reports.card import read_head


@dataclass(frozen=True)
class Prediction:
    """notes: how the image had to be changed to fit the model."""

    file: Path
    class_name: str
    probability: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Classifier:
    """A kept model, its classes, the shape of the images that it takes, and how others are made to fit."""

    model: Any
    names: list[str]
    takes: tuple[int, ...]
    image_fit: Fit

    def answer(self, images: list[NDArray[np.uint8]]) -> list[tuple[str, float]]:
        """The most probable class of each image, and its probability."""
        from tasks.experiment.networks.bodies.inference import predict
        from tasks.experiment.scores import decide

        probabilities = predict(self.model, np.stack(images))
        answers = decide(probabilities)
        if probabilities.ndim == 1:
            probabilities = np.stack([1 - probabilities, probabilities], axis=1)
        return [(self.names[answer], float(each[answer])) for answer, each in zip(answers, probabilities, strict=True)]


def predict_files(model_file: Path, paths: list[Path]) -> list[Prediction | UnusableInputError]:
    """What the model says about each image file, and each one in a folder, in order; or why it can't.

    Raises UnusableInputError if the model can't be read, or does not classify images.
    """
    classifier: Classifier | None = None  # loaded for the first image that can be read: that takes seconds
    said: dict[int, Prediction | UnusableInputError] = {}
    fitted: dict[int, tuple[Path, NDArray[np.uint8], tuple[str, ...]]] = {}
    for place, file in enumerate(_files(paths)):
        try:
            if isinstance(file, UnusableInputError):
                raise file
            image = read_image(file)
        except UnusableInputError as refused:
            said[place] = refused
        else:
            classifier = classifier or load_classifier(model_file)
            fitted[place] = file, *fit(image, classifier.takes, classifier.image_fit)
    answers = classifier.answer([pixels for _, pixels, _ in fitted.values()]) if classifier else []
    for (place, (file, _, notes)), (name, probability) in zip(fitted.items(), answers, strict=True):
        said[place] = Prediction(file, name, probability, notes)
    return [said[place] for place in sorted(said)]


def load_classifier(file: Path) -> Classifier:
    """A kept model and its classes, from the card beside it. Raises UnusableInputError if it is none of images."""
    from tasks.experiment.networks.model_files import load_trained

    model = load_trained(file)
    takes, outputs = model.input_shape[1:], model.output_shape[1:]
    classes = 2 if outputs == (1,) else outputs[0]
    head = read_head(file)
    names = [str(name) for name in head.get("classes", range(classes))]
    if len(takes) not in (2, 3) or None in takes or len(outputs) != 1 or len(names) != classes:
        raise UnusableInputError(f"{file} does not tell classes of images of one size apart")
    image_fit: Fit = head["image_fit"] if head.get("image_fit") in get_args(Fit) else "stretch"
    return Classifier(model, names, takes, image_fit)


def _files(paths: list[Path]) -> Iterator[Path | UnusableInputError]:
    """The files, and those images that are in folders; an error for a folder without any."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        try:
            images: list[Path | UnusableInputError] = [file for file in visible_files(path, path) if is_image(file)]
        except UnusableInputError as error:
            yield error
        else:
            yield from images or [UnusableInputError(f"{path} holds no images")]


def fit(image: ImageFile, takes: tuple[int, ...], how: Fit) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The image in the shape that the model takes, and what had to be done for it."""
    from PIL import Image

    notes, picture = [], Image.fromarray(image.pixels)
    if image.pictures > 1:
        notes.append(f"the first of {image.pictures} pictures")
    mode = "RGB" if takes[-1] == 3 and len(takes) == 3 else "L"
    if picture.mode != mode:
        picture = picture.convert(mode)
        notes.append("made grey" if mode == "L" else "grey as colour")
    height, width = takes[:2]
    if picture.size != (width, height):
        way = "" if how == "stretch" else f" by {how}"
        notes.append(f"resized from {picture.width} × {picture.height} to {width} × {height} pixels{way}")
        picture = picture_to_fit(picture, Frame(height, width, how))
    return np.asarray(picture).reshape(takes), tuple(notes)
