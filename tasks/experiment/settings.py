"""The experiment's settings: every number once, with its range and what it means."""

import itertools
import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationInfo, field_validator, model_validator

from tasks.experiment.data import fashion_mnist
from tasks.experiment.data.class_names import class_numbers
from tasks.experiment.data.dataset import DataSet
from tasks.experiment.data.fitting import LONGEST, Fit, Sizing
from tasks.experiment.data.formats.labelled import MAX_SIDE
from tasks.experiment.data.splits import Target
from tasks.experiment.networks.architectures import NETWORKS
from tasks.experiment.networks.bodies.applications import Application, parse_application
from tasks.experiment.networks.bodies.pixels import SourcePixels
from tasks.experiment.networks.recipe import NetworkKind, Training, TuningKind
from tasks.experiment.scores import Metric

# What every flow is asked for beside the experiment.
Replicates = Annotated[int, Field(ge=1, le=100_000, description="Number of pairs of runs, one per seed.")]
Seed = Annotated[int, Field(ge=0, le=2**31, description="The first pair's seed; the next ones count up.")]
StopEarly = Annotated[
    bool,
    Field(description="Add pairs in steps and stop once they can tell; replicates is then the most there may be."),
]
Refresh = Annotated[bool, Field(description="Ignore the cache and recompute everything.")]
Keep = Annotated[
    int | None,
    Field(ge=1, description="Afterwards delete all but the newest N runs and what they need. Empty: delete nothing."),
]


Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]  # pixels


class Settings(BaseModel):
    """Frozen, and strict about names: an unknown key is an error, never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Experiment(Settings):
    """Task B has few labels for two classes or more; task A all labels for the other classes, or other data."""

    dataset: Annotated[
        str,
        Field(
            min_length=1,
            description=f"{fashion_mnist.NAME}, or the path of your own data: a folder of IDX files, an .npz file with "
            "x_train, y_train (and x_val, y_val, x_test, y_test), a .csv file with columns file_name and label, "
            "Parquet files with columns image and label, a folder with one subfolder of images per class, or a .zip or "
            ".tar.gz of one of these.",
        ),
    ] = fashion_mnist.NAME
    target_classes: Annotated[
        tuple[StrictInt | str, ...],
        Field(
            min_length=2,
            description="Task B's classes, by name or number; of two classes the second one is the positive one.",
        ),
    ] = ("T-shirt/top", "Pullover")
    target_samples: Annotated[int, Field(ge=2, le=1_000_000, description="Labelled images of task B to train on.")] = (
        200
    )
    balanced: Annotated[
        bool, Field(description="Take target_samples images of each class instead of both together.")
    ] = False
    normalization: Annotated[
        Literal["standardize", "none"],
        Field(description="Standardize each pixel over the training images, or train on raw 0–255 pixels."),
    ] = "standardize"
    image_size: Annotated[
        tuple[Side, Side] | None,
        Field(
            description="Height and width in pixels that all images are made. Empty: as they are, if all have one size "
            f"of at most {MAX_SIDE} × {MAX_SIDE}; else their median size, at most {LONGEST} × {LONGEST}. "
            "For one of Keras' applications: its own."
        ),
    ] = None
    image_fit: Annotated[
        Fit,
        Field(
            description="How images of other proportions are made to fit. stretch: as a whole; crop: their middle; "
            "pad: as a whole, with black beside it."
        ),
    ] = "stretch"
    source_dataset: Annotated[
        str | None,
        Field(
            min_length=1,
            description="Train A on all classes of this data set (given as dataset is; its images are made to fit in "
            "the same way) instead of the other classes of dataset.",
        ),
    ] = None
    source_model: Annotated[
        str | None,
        Field(
            min_length=1,
            description="A trained Keras model in the place of A: the path of a .keras file; or one of Keras' "
            "applications, as keras:MobileNetV2, or keras:MobileNetV2:weights.h5 with weights from a file instead of "
            "Keras' site. Its layers up to source_layer are what B is trained on, those that prepare pixels included.",
        ),
    ] = None
    source_layer: Annotated[
        str | None,
        Field(
            min_length=1,
            description="The last layer of source_model to reuse; in a nested model by its path, as "
            "backbone/conv5_block3_out. Empty: the last one before its head.",
        ),
    ] = None
    source_pixels: Annotated[
        SourcePixels | None,
        Field(
            description="The pixels that a source_model was trained on, if it does not scale them itself: 0-1 if they "
            "were divided by 255, -1-1, or a mean and a standard deviation. Empty: 0-255, as they are."
        ),
    ] = None
    network: Annotated[
        NetworkKind,
        Field(
            description="mlp: hidden_layers dense layers of hidden_units, as in the notebook. cnn: LeNet-5, two "
            "convolutions and two dense layers. (A source_model is a network of its own.)"
        ),
    ] = "mlp"
    hidden_layers: Annotated[int, Field(ge=1, le=8, description="Number of hidden layers of the mlp.")] = 3
    hidden_units: Annotated[int, Field(ge=1, le=1024, description="Units of each hidden layer of the mlp.")] = 100
    learning_rate: Annotated[float, Field(gt=0, le=10, description="Step size of plain SGD.")] = 1e-3
    batch_size: Annotated[int, Field(ge=1, le=4096, description="Images per step; the last batch is smaller.")] = 32
    source_epochs: Annotated[int, Field(ge=1, le=1000, description="Epochs of task A.")] = 20
    target_epochs: Annotated[int, Field(ge=1, le=1000, description="Epochs of task B, scratch and transfer.")] = 20
    frozen_epochs: Annotated[
        int, Field(ge=0, le=1000, description="First epochs of transfer in which only the new head is trained.")
    ] = 4
    tuning: Annotated[
        TuningKind,
        Field(
            description="cv: for each seed, choose scratch's learning rate and epochs, and transfer's, by "
            "cross-validation inside the labelled images of task B, and freeze nothing; learning_rate is then task A's "
            "only. none: train both as learning_rate, target_epochs and frozen_epochs say."
        ),
    ] = "none"

    metric: Annotated[
        Metric,
        Field(
            description="What the error is taken from, everywhere: 1 − accuracy; or, where classes are imbalanced, "
            "1 − balanced_accuracy (the mean of the classes' recalls) or 1 − roc_auc (of more than two classes the "
            "mean over classes, each against the rest)."
        ),
    ] = "accuracy"

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        application = self.application  # ValueError if Keras has none of that name
        if self.frozen_epochs > self.target_epochs:
            raise ValueError(
                f"frozen_epochs ({self.frozen_epochs}) is more than target_epochs ({self.target_epochs}): "
                "give at most as many frozen epochs as there are epochs"
            )
        if self.source_dataset and self.source_model:
            raise ValueError("source_dataset and source_model are two sources: give one of them")
        if self.source_layer and not self.source_model:
            raise ValueError("source_layer is a layer of source_model: give source_model too")
        if self.source_pixels and not self.source_model:
            raise ValueError("source_pixels are what a source_model takes: give source_model too")
        if self.source_pixels and application:
            raise ValueError(f"{self.source_model} brings its own preprocessing: leave source_pixels out")
        return self

    @field_validator("image_size", mode="before")
    @classmethod
    def _may_be_null(cls, given: object) -> object:
        """Flags of two numbers are read as a list, and so is null."""
        return None if given == [None] else given

    @field_validator("target_classes", mode="before")
    @classmethod
    def _are_names(cls, given: object) -> object:
        """A class may be called true, false or null, which are no text where they come as JSON."""
        if not isinstance(given, list | tuple):
            return given
        return [json.dumps(name) if name is None or isinstance(name, bool) else name for name in given]

    @field_validator("target_classes")
    @classmethod
    def _are_known(cls, names: tuple[int | str, ...], given: ValidationInfo) -> tuple[int | str, ...]:
        """The classes of your own data are known once the data are read."""
        if given.data.get("dataset") == fashion_mnist.NAME:
            class_numbers(names, fashion_mnist.CLASS_NAMES)
        return names

    @property
    def sizing(self) -> Sizing:
        """What size images are made, and how; for an application of Keras' its own, and in colour."""
        if application := self.application:
            return Sizing(size=self.image_size or application.size, fit=self.image_fit, colour=True)
        return Sizing(size=self.image_size, fit=self.image_fit)

    @property
    def application(self) -> Application | None:
        """Keras' application that source_model names, if it does."""
        return parse_application(self.source_model or "")

    @property
    def target(self) -> Target:
        """What is wanted as task B."""
        fewest = 2 if self.tuning == "cv" else 0  # one in the fold that judges, one in those that train
        return Target(classes=self.target_classes, samples=self.target_samples, balanced=self.balanced, fewest=fewest)

    @property
    def target_images(self) -> int:
        """How many labelled images of task B there are to train on, all classes together."""
        return self.target_samples * (len(self.target_classes) if self.balanced else 1)

    @property
    def reusable_layers(self) -> int | None:
        """How many hidden layers there are; None: as many as source_model has."""
        return None if self.source_model else NETWORKS[self.network].reusable(self.source_training)

    @property
    def pixel_kinds(self) -> tuple[str, ...]:
        """The kinds of normalization that a study compares, this experiment's own first; a source_model has but one."""
        own = self.normalization
        return (own,) if self.source_model else (own, "none" if own == "standardize" else "standardize")

    def vary(self, **changes: object) -> Self:
        """This experiment with other settings, checked like any."""
        return self.model_validate(self.model_dump() | changes)

    def all_target_classes(self, data: DataSet) -> list[tuple[str, ...]]:
        """All pairs of target classes by name, this experiment's own one in its order."""
        own = data.class_numbers(self.target_classes)
        pairs = itertools.combinations(range(len(data.classes)), 2)
        return [data.names(own if set(pair) == set(own) else pair) for pair in pairs]

    @property
    def source_training(self) -> Training:
        return self._training(epochs=self.source_epochs)

    @property
    def scratch_training(self) -> Training:
        return self._training(epochs=self.target_epochs, tuning=self.tuning)

    @property
    def transfer_training(self) -> Training:
        return self._training(epochs=self.target_epochs, frozen_epochs=self.frozen_epochs, tuning=self.tuning)

    def _training(self, epochs: int, frozen_epochs: int = 0, tuning: TuningKind = "none") -> Training:
        return Training(
            network=self.network,
            hidden_layers=self.hidden_layers,
            hidden_units=self.hidden_units,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            epochs=epochs,
            frozen_epochs=frozen_epochs,
            tuning=tuning,
            metric=self.metric if tuning == "cv" else "accuracy",  # so that other networks serve any metric
        )
