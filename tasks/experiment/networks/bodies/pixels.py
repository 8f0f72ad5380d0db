"""What pixels a trained model takes: most were trained on others than 0–255, which were made outside of the model."""

from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.bodies.cutting import calls, is_nested
from tasks.experiment.networks.recipe import Network

PREPARING = {"Rescaling", "Normalization"}
OPERATIONS = {"Add", "Divide", "Multiply", "Subtract", "TrueDivide"}  # of tensors, as in `pixels / 127.5 - 1`


class Standardized(BaseModel):
    """Pixels of 0 to 1, less a mean and divided by a standard deviation: one of each, or one per channel."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    mean: Annotated[
        tuple[float, ...],
        Field(min_length=1, max_length=3, description="Of pixels of 0 to 1; one, or one per channel."),
    ]
    std: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...],
        Field(min_length=1, max_length=3, description="Standard deviation of pixels of 0 to 1; as many as means."),
    ]

    @model_validator(mode="after")
    def _are_as_many(self) -> Self:
        if len(self.mean) != len(self.std):
            raise ValueError(f"mean has {len(self.mean)} numbers and std {len(self.std)}: give as many of each")
        return self


def _with_hyphens(given: object) -> object:
    """0–1 and −1–1 as 0-1 and -1-1."""
    return given.replace("–", "-").replace("−", "-") if isinstance(given, str) else given


Range = Literal["0-255", "0-1", "-1-1"]
PixelKind = Range | Standardized
SourcePixels = Annotated[PixelKind, BeforeValidator(_with_hyphens)]  # as people write them

RANGES: dict[Range, tuple[float, float]] = {"0-255": (1.0, 0.0), "0-1": (1 / 255, 0.0), "-1-1": (1 / 127.5, -1.0)}


class Scaling(NamedTuple):
    """From pixels of 0 to 255 to what a model takes: times `scale`, plus `offset`; of all channels, or of each one."""

    scale: float | list[float] = 1.0
    offset: float | list[float] = 0.0


def scaling_to(pixels: PixelKind, channels: int) -> Scaling:
    """Raises UnusableInputError if the images have other channels."""
    if isinstance(pixels, str):
        return Scaling(*RANGES[pixels])
    if len(pixels.mean) not in (1, channels):
        raise UnusableInputError(
            f"source_pixels has {len(pixels.mean)} means, but the images have {channels} "
            f"channel{'s' if channels > 1 else ''}: give one, or one per channel"
        )
    return Scaling(
        scale=[1 / (255 * std) for std in pixels.std],
        offset=[-mean / std for mean, std in zip(pixels.mean, pixels.std, strict=True)],
    )


def scaling_inside(model: Network) -> str | None:
    """The layer, or the operation, by which the model itself scales pixels, if it does: before anything is trained."""
    for each in calls(model)[1]:
        layer = each.layer
        if type(layer).__name__ in PREPARING | OPERATIONS:
            return str(layer.name)
        if is_nested(layer) and (inside := scaling_inside(layer)):
            return f"{layer.name}/{inside}"
        if getattr(layer, "weights", []):
            return None
    return None


class Seen(NamedTuple):
    """What a model's own answers on labelled images say about its pixels.

    right: the share of right ones, by range. range: the one that they show; None: they can't tell.
    """

    right: dict[Range, float]
    range: Range | None


def try_ranges(model: Network, images: NDArray[np.uint8], labels: NDArray[Any]) -> Seen | None:
    """Which range suits the model's own answers, if its classes are among the data's; None if it has no probabilities.

    images: uint8, of the shape that the model takes. Which answer means which class is found by the best assignment. A
    range is shown if the answers are right there at least halfway between chance and always, and their log loss, which
    punishes false certainty, is lower than with any other range by more than two standard errors of the paired
    difference. (A network of ReLUs names the same classes if its pixels are 255 times as large, but is far too sure.)
    """
    losses: dict[Range, NDArray[np.float64]] = {}
    right: dict[Range, float] = {}
    for name, (scale, offset) in RANGES.items():
        given = images.astype(np.float32) * np.float32(scale) + np.float32(offset)
        answers = np.asarray(model(given, training=False), np.float64)
        if answers.ndim != 2 or not (np.isfinite(answers).all() and answers.min() >= 0 and answers.max() <= 1 + 1e-5):
            return None
        if answers.shape[1] == 1:
            answers = np.concatenate([1 - answers, answers], axis=1)
        losses[name], right[name] = _judge(answers, labels)
    best = min(losses, key=lambda name: losses[name].mean())
    worse = [losses[name] - losses[best] for name in losses if name != best]
    clear = all(each.mean() > 2 * each.std(ddof=1) / np.sqrt(len(each)) for each in worse)
    chance = 1 / min(answers.shape[1], len(np.unique(labels)))
    return Seen(right, best if clear and right[best] >= (1 + chance) / 2 else None)


def _judge(answers: NDArray[np.float64], labels: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
    """(each image's log loss, the share of right answers); a label without an answer of its own counts as chance."""
    from scipy.optimize import linear_sum_assignment

    known, numbers = np.unique(labels, return_inverse=True)
    together = np.stack([answers[numbers == number].sum(0) for number in range(len(known))])
    meant = np.full(len(known), -1)
    rows, columns = linear_sum_assignment(together, maximize=True)
    meant[rows] = columns
    truth = meant[numbers]
    counted = truth >= 0
    of_truth = np.where(counted, answers[np.arange(len(labels)), truth], 1 / answers.shape[1])
    return -np.log(np.clip(of_truth, 1e-7, 1)), float((answers.argmax(1) == truth)[counted].mean())


def pixel_notes(
    origin: str, model: Network, pixels: PixelKind | None, images: NDArray[np.uint8], labels: NDArray[Any]
) -> list[str]:
    """What the user should know about the pixels that the model of that origin gets, one sentence or none.

    pixels: those that it was told to get. images, labels: to try it on if nothing else tells what it takes.
    """
    inside = scaling_inside(model)
    if pixels not in (None, "0-255") and inside:
        return [
            f"{origin} scales pixels itself, by its layer {inside}, after source_pixels has: leave source_pixels out "
            "unless it was trained so."
        ]
    if pixels or inside:
        return []
    lacks = f"{origin} has no layer that scales pixels"
    seen = try_ranges(model, images.reshape(-1, *model.inputs[0].shape[1:]), labels)
    if seen is None or seen.range is None:
        return [
            f"{lacks}: it gets them as they are, 0-255, and says less if it was trained on others; set source_pixels "
            "to what it was trained on (0-1 if pixels were divided by 255; -1-1; or a mean and std)."
        ]
    if seen.range == "0-255":
        return []
    return [
        f"{lacks} and gets them as they are, 0-255, but of {len(labels)} images its own answers are right on "
        f"{100 * seen.right[seen.range]:.0f} % with pixels of {seen.range}, and on {100 * seen.right['0-255']:.0f} % "
        f"with these: set source_pixels to {seen.range}."
    ]
