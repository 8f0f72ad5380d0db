"""What pixels a trained model takes: most were trained on others than 0–255, which were made outside of the model."""

from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from tasks.experiment.errors import UnusableInputError
from tasks.experiment.networks.bodies.cutting import calls, is_nested
from tasks.experiment.networks.recipe import Network

TOO_SURE = 10.0  # wrong so many times as often as its probabilities admit, a model gets other pixels than it knows
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


Range = Literal["0-255", "0-1", "-1-1"]
PixelKind = Range | Standardized


def _read(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Also 0–1 and −1–1, as people write them; and one sentence for what is neither a range nor mean and deviation."""
    try:
        return validate(given.replace("–", "-").replace("−", "-") if isinstance(given, str) else given)
    except ValidationError as refused:
        known = ", ".join(get_args(Range))
        raise ValueError(f"give {known}, or a mean and a positive std, one of each or one per channel") from refused


SourcePixels = Annotated[PixelKind, WrapValidator(_read)]

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
    range is out if the answers are right there less often than halfway between chance and always, or wrong more than
    ten times as often as their own probabilities admit: a network of ReLUs names the same classes if its pixels are 255
    times as large, but is far too sure. Of those left one is shown if it is right more often than each other one, by
    more than two standard errors of the paired difference.
    """
    right: dict[Range, NDArray[np.bool_]] = {}
    shares: dict[Range, float] = {}
    left: list[Range] = []
    for name, (scale, offset) in RANGES.items():
        given = images.astype(np.float32) * np.float32(scale) + np.float32(offset)
        answers = np.asarray(model(given, training=False), np.float64)
        if answers.ndim != 2 or not (np.isfinite(answers).all() and answers.min() >= 0 and answers.max() <= 1 + 1e-5):
            return None
        if answers.shape[1] == 1:
            answers = np.concatenate([1 - answers, answers], axis=1)
        truth = _assigned(answers, labels)
        counted, right[name] = truth >= 0, answers.argmax(1) == truth
        shares[name] = float(right[name][counted].mean())
        admitted, wrong = (1 - answers.max(1))[counted].sum(), (counted & ~right[name]).sum()
        halfway = (1 + 1 / min(answers.shape[1], len(np.unique(labels)))) / 2
        if shares[name] >= halfway and wrong <= TOO_SURE * admitted:
            left.append(name)
    if not left:
        return Seen(shares, None)
    best = max(left, key=lambda name: right[name].sum())
    ahead = [right[best].astype(float) - right[name] for name in left if name != best]
    clear = all(each.mean() > 2 * each.std(ddof=1) / np.sqrt(len(each)) for each in ahead)
    return Seen(shares, best if clear else None)


def _assigned(answers: NDArray[np.float64], labels: NDArray[Any]) -> NDArray[np.intp]:
    """The answer that each image's label means; -1 for a label without an answer of its own."""
    from scipy.optimize import linear_sum_assignment

    known, numbers = np.unique(labels, return_inverse=True)
    together = np.stack([answers[numbers == number].sum(0) for number in range(len(known))])
    meant = np.full(len(known), -1)
    rows, columns = linear_sum_assignment(together, maximize=True)
    meant[rows] = columns
    assigned: NDArray[np.intp] = meant[numbers]
    return assigned


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
