"""The experiment's settings: every number once, with its range and what it means."""

import itertools
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, model_validator

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


# What every flow is asked for beside the experiment.
Replicates = Annotated[int, Field(ge=1, le=1000, description="Pairs of runs, one a seed.")]
Seed = Annotated[int, Field(ge=0, le=2**31, description="The first replicate's seed; the next ones count up.")]
Refresh = Annotated[bool, Field(description="Compute everything anew, whatever the cache holds.")]
Keep = Annotated[
    int | None,
    Field(ge=1, description="Afterwards keep the newest runs only, so many, and what they need. Empty: keep all."),
]


def class_id(name: int | str) -> int:
    """The number of a class given by number or (case aside) by name.

    Raises ValueError, with the names that exist, if there is no such class.
    """
    numbers: dict[int | str, int] = {}
    for number, known in enumerate(CLASS_NAMES):
        numbers |= {number: number, str(number): number, known.lower(): number}
    key = name.lower() if isinstance(name, str) else name
    if key not in numbers:
        raise ValueError(f"no class {name!r}: give a number 0–9 or one of {', '.join(CLASS_NAMES)}")
    return numbers[key]


def _known_class(name: int | str) -> int | str:
    class_id(name)
    return name


ClassName = Annotated[StrictInt | str, AfterValidator(_known_class)]


class Settings(BaseModel):
    """Frozen, and strict about names: an unknown key is an error, never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Training(Settings):
    """How one network is trained: plain SGD on shuffled batches."""

    hidden_layers: int
    hidden_units: int
    learning_rate: float
    batch_size: int
    epochs: int
    frozen_epochs: int = 0


class Experiment(Settings):
    """Task A has the eight other classes with all labels; task B two classes with few."""

    target_classes: Annotated[
        tuple[ClassName, ClassName],
        Field(description="Task B's two classes, by name or number; the second one is the positive class."),
    ] = ("T-shirt/top", "Pullover")
    target_samples: Annotated[int, Field(ge=2, le=55_000, description="Labelled images of task B to train on.")] = 200
    balanced: Annotated[
        bool, Field(description="Take target_samples images of each class instead of both together.")
    ] = False
    normalization: Annotated[
        Literal["standardize", "none"],
        Field(description="Standardize each pixel over the training images, or train on raw 0–255 pixels."),
    ] = "standardize"
    hidden_layers: Annotated[int, Field(ge=1, le=8, description="Number of hidden layers.")] = 3
    hidden_units: Annotated[int, Field(ge=1, le=1024, description="Units of each hidden layer.")] = 100
    learning_rate: Annotated[float, Field(gt=0, le=10, description="Step size of plain SGD.")] = 1e-3
    batch_size: Annotated[int, Field(ge=1, le=4096, description="Images per step; the last batch is smaller.")] = 32
    source_epochs: Annotated[int, Field(ge=1, le=1000, description="Epochs of task A.")] = 20
    target_epochs: Annotated[int, Field(ge=1, le=1000, description="Epochs of task B, scratch and transfer.")] = 20
    frozen_epochs: Annotated[
        int, Field(ge=0, le=1000, description="First epochs of transfer in which only the new head is trained.")
    ] = 4

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.frozen_epochs > self.target_epochs:
            raise ValueError(
                f"frozen_epochs ({self.frozen_epochs}) is more than target_epochs ({self.target_epochs}): "
                "give at most as many frozen epochs as there are epochs"
            )
        negative, positive = self.target_class_ids
        if negative == positive:
            raise ValueError(f"target_classes names {CLASS_NAMES[negative]!r} twice: give two different classes")
        return self

    @property
    def target_class_ids(self) -> tuple[int, int]:
        """(negative, positive) as class numbers."""
        negative, positive = self.target_classes
        return class_id(negative), class_id(positive)

    @property
    def target_images(self) -> int:
        """How many labelled images of task B there are to train on, both classes together."""
        return self.target_samples * (2 if self.balanced else 1)

    def vary(self, **changes: object) -> Self:
        """This experiment with other settings, checked like any."""
        return self.model_validate(self.model_dump() | changes)

    def all_target_classes(self) -> list[tuple[int, int]]:
        """All pairs of target classes, this experiment's own one as it is."""
        own = self.target_class_ids
        pairs = itertools.combinations(range(len(CLASS_NAMES)), 2)
        return [own if set(pair) == set(own) else pair for pair in pairs]

    @property
    def source_training(self) -> Training:
        return self._training(epochs=self.source_epochs)

    @property
    def scratch_training(self) -> Training:
        return self._training(epochs=self.target_epochs)

    @property
    def transfer_training(self) -> Training:
        return self._training(epochs=self.target_epochs, frozen_epochs=self.frozen_epochs)

    def _training(self, epochs: int, frozen_epochs: int = 0) -> Training:
        return Training(
            hidden_layers=self.hidden_layers,
            hidden_units=self.hidden_units,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            epochs=epochs,
            frozen_epochs=frozen_epochs,
        )
