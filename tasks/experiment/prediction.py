"""What a kept model says about image files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.formats.image_files import read_image
from tasks.experiment.errors import UnusableInputError
from tasks.experiment.reports.card import class_names


@dataclass(frozen=True)
class Prediction:
    """notes: how the image had to be changed to fit the model."""

    file: Path
    class_name: str
    probability: float
    notes: tuple[str, ...]


def predict_files(model_file: Path, files: list[Path]) -> list[Prediction]:
    """The most probable class of each image file.

    Raises UnusableInputError if the model or an image can't be read, or if the model does not classify images.
    """
    from tasks.experiment.networks.model_files import load_trained
    from tasks.experiment.results.scores import decide, predict

    pictures = [read_image(file).pixels for file in files]
    model = load_trained(model_file)
    takes, outputs = model.input_shape[1:], model.output_shape[1:]
    classes = 2 if outputs == (1,) else outputs[0]
    names = class_names(model_file) or [str(number) for number in range(classes)]
    if len(takes) not in (2, 3) or None in takes or len(outputs) != 1 or len(names) != classes:
        raise UnusableInputError(f"{model_file} does not tell classes of images of one size apart")
    fitted = [fit(picture, takes) for picture in pictures]
    probabilities = predict(model, np.stack([image for image, _ in fitted]))
    answers = decide(probabilities)
    if probabilities.ndim == 1:
        probabilities = np.stack([1 - probabilities, probabilities], axis=1)
    return [
        Prediction(file, names[answer], float(each[answer]), notes)
        for file, answer, each, (_, notes) in zip(files, answers, probabilities, fitted, strict=True)
    ]


def fit(image: NDArray[np.uint8], takes: tuple[int, ...]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The image in the shape that the model takes, and what had to be done for it."""
    from PIL import Image

    notes, picture = [], Image.fromarray(image)
    mode = "RGB" if takes[-1] == 3 and len(takes) == 3 else "L"
    if picture.mode != mode:
        picture = picture.convert(mode)
        notes.append("made grey" if mode == "L" else "grey as colour")
    height, width = takes[:2]
    if picture.size != (width, height):
        notes.append(f"resized from {picture.width} × {picture.height} to {width} × {height} pixels")
        picture = picture.resize((width, height))
    return np.asarray(picture).reshape(takes), tuple(notes)
