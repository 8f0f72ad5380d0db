"""What a recommendation is asked for: every number with its range and what it means."""

from typing import Annotated, Self

from pydantic import Field, StrictInt, ValidationError, model_validator

from tasks.experiment.data import fashion_mnist
from tasks.experiment.data.fitting import Fit, Sizing
from tasks.experiment.networks.recipe import NetworkKind, Training
from tasks.experiment.networks.tuning.grid import Grid
from tasks.experiment.recommend.augmentation import Augmentation
from tasks.experiment.recommend.methods import HOWS, How, Judging
from tasks.experiment.settings import Experiment, Settings, Side

FASHION_CLASSES, FASHION_LABELS = ("T-shirt/top", "Pullover"), 200  # the notebook's task B
MOST = 10_000  # labelled images: this flow is for few
QUICK_GRID = Grid(rates=(0.01, 0.1), steps=200)
_EXPERIMENT = Experiment.model_fields


def split_layer(given: str) -> tuple[str, str | None]:
    """(what it is, up to which layer) of "name#layer" or of a name alone."""
    name, _, layer = given.partition("#")
    return name, layer or None


class Question(Settings):
    """Labelled images, and what there is to start from: what should be done with them?"""

    dataset: Annotated[str, Field(min_length=1, description=_EXPERIMENT["dataset"].description)] = fashion_mnist.NAME
    classes: Annotated[
        tuple[StrictInt | str, ...],
        Field(
            description="The classes to tell apart, by name or number. Empty: all there are "
            f"(of {fashion_mnist.NAME}: {' and '.join(FASHION_CLASSES)})."
        ),
    ] = ()
    labels: Annotated[
        int | None,
        Field(
            ge=4,
            le=MOST,
            description="Use only so many labelled images, drawn by the seed; test images do not count. Empty: all "
            f"there are (of {fashion_mnist.NAME}: {FASHION_LABELS}).",
        ),
    ] = None
    image_size: Annotated[tuple[Side, Side] | None, Field(description=_EXPERIMENT["image_size"].description)] = None
    image_fit: Annotated[Fit, Field(description=_EXPERIMENT["image_fit"].description)] = "stretch"
    source_models: Annotated[
        tuple[str, ...],
        Field(
            description="Trained Keras models to build on, each given as source_model is in the other flows; "
            "name#layer is the model up to that layer, name alone up to the one before its last."
        ),
    ] = ()
    source_datasets: Annotated[
        tuple[str, ...],
        Field(
            description="Data sets to train a network on first, and then to build on that. The dataset itself means "
            "those of its classes that are not to be told apart. Empty: none "
            f"(of {fashion_mnist.NAME}, without source_models: its other classes)."
        ),
    ] = ()
    methods: Annotated[
        tuple[How, ...],
        Field(
            description=f"How a source may be used, each of which is judged: {', '.join(HOWS)}. Empty: all, but probe "
            "alone for a source with more than a million weights, which takes hours to train on a CPU."
        ),
    ] = ()
    augmentation: Annotated[
        Augmentation,
        Field(
            description="Copies of labelled images that keep their labels: shifts, flips (left for right), or both. "
            "All that learns of the images is judged without and with them."
        ),
    ] = "none"
    network: Annotated[
        NetworkKind, Field(description="What is trained from scratch, and on source_datasets: mlp or cnn.")
    ] = "mlp"
    source_epochs: Annotated[int, Field(ge=1, le=1000, description="Epochs on each of source_datasets.")] = 20
    batch_size: Annotated[int, Field(ge=1, le=4096, description="Images per step of SGD.")] = 32

    quick: Annotated[
        bool, Field(description="A first impression: fewer rates, steps and repetitions of cross-validation.")
    ] = False

    @model_validator(mode="after")
    def _has_models(self) -> Self:
        """What can be known of source_models before they are read."""
        try:
            self.experiments()
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
        return self

    def experiments(self) -> list[Experiment]:
        """One that builds on each of source_models."""
        return [
            Experiment(
                dataset=self.dataset, image_size=self.image_size, image_fit=self.image_fit,
                source_model=name, source_layer=layer,
            )
            for name, layer in map(split_layer, self.source_models)
        ]  # fmt: skip

    @property
    def judging(self) -> Judging:
        return Judging(repetitions=2, grid=QUICK_GRID) if self.quick else Judging()

    @property
    def _is_bare(self) -> bool:
        return self.dataset == fashion_mnist.NAME

    @property
    def wanted_classes(self) -> tuple[int | str, ...]:
        """Empty: all."""
        return self.classes or (FASHION_CLASSES if self._is_bare else ())

    @property
    def wanted_labels(self) -> int | None:
        """None: all."""
        return self.labels or (FASHION_LABELS if self._is_bare else None)

    @property
    def wanted_datasets(self) -> tuple[str, ...]:
        return self.source_datasets or ((fashion_mnist.NAME,) if self._is_bare and not self.source_models else ())

    @property
    def sizing(self) -> Sizing:
        """What size images are made, and how: where an application of Keras' is a source, as it takes them."""
        applications = [each.sizing for each in self.experiments() if each.application]
        return applications[0] if applications else Sizing(size=self.image_size, fit=self.image_fit)

    @property
    def training(self) -> Training:
        """The network from scratch, and how one is trained on a data set: all of its labels are there to do it."""
        return Training(
            network=self.network, hidden_layers=3, hidden_units=100, learning_rate=0.01, batch_size=self.batch_size,
            epochs=self.source_epochs,
        )  # fmt: skip
