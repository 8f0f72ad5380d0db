"""What a study trains, as plain data: networks of task B, by arm and by number of labelled images."""

from typing import Literal

from pydantic import Field

from tasks.experiment.networks.recipe import Training
from tasks.storage.artifacts import Handle

NOTEBOOK = "notebook"  # what chose the recipe of arms that are not tuned


class Arm(Handle):
    """One way to train on task B, always from the same initial weights, on the same images, for as many epochs.

    body: whose hidden layers it starts from: "A", "B" (this seed's scratch network) or "random" (nobody's); for
    "like A" and "permuted A" see TunedArm.
    layers: how many hidden layers, from the first (None: all), are the body's, and frozen for `frozen_epochs`.
    says: what the arm is, for the study's readers; it is in no cache key, for it changes nothing that is trained.
    """

    name: str
    body: Literal["random", "A", "B", "like A", "permuted A"]
    layers: int | None
    frozen_epochs: int
    says: str = Field(exclude=True)


class Trial(Handle):
    """One network to train. samples: labelled images (None: all there are). keep: store the network too."""

    arm: Arm
    samples: int | None
    keep: bool = False


class Plan(Handle):
    """All networks of one seed, and what they have in common.

    normalization: the kind of pixels, as the table of runs names it. training: of every network but for its arm's
    frozen epochs. balanced: samples are of each class. resample: each seed draws its own images of task B, of which a
    smaller budget takes the first ones.
    """

    normalization: str
    training: Training
    balanced: bool
    resample: bool
    trials: tuple[Trial, ...]
