"""The study's plan as plain data: which networks are trained on task B, and on how many of its images.

The controls are those of Yosinski et al. 2014, "How transferable are features in deep neural networks?"
"""

from typing import Literal

from tasks.experiment.settings import Experiment, Settings

BUDGETS = (20, 50, 100, 200, 400, 1_000, 2_000, None)  # labelled images of task B; None: all there are


class Arm(Settings):
    """One way to train on task B, always from the same initial weights, on the same images, for as many epochs.

    body: whose hidden layers it starts from: "A", "B" (this seed's scratch network) or "random" (nobody's).
    layers: how many hidden layers, from the first (None: all), are the body's, and frozen for `frozen_epochs`.
    """

    name: str
    body: Literal["random", "A", "B"]
    layers: int | None
    frozen_epochs: int


class Trial(Settings):
    """One network to train. `keep`: store it too."""

    arm: Arm
    samples: int | None
    keep: bool = False


def arms(experiment: Experiment) -> tuple[Arm, ...]:
    """All arms, scratch and transfer first. Another arm is another line."""
    layers, epochs, frozen = experiment.reusable_layers, experiment.target_epochs, experiment.frozen_epochs
    fewer = range(1, layers or 1)
    return (
        Arm(name="scratch", body="random", layers=0, frozen_epochs=0),
        Arm(name="transfer", body="A", layers=layers, frozen_epochs=frozen),
        Arm(name="fine-tune", body="A", layers=layers, frozen_epochs=0),
        Arm(name="probe", body="A", layers=layers, frozen_epochs=epochs),
        Arm(name="random body", body="random", layers=layers, frozen_epochs=frozen),
        Arm(name="self-transfer", body="B", layers=layers, frozen_epochs=frozen),
        *(Arm(name=f"first {n}, fine-tuned", body="A", layers=n, frozen_epochs=0) for n in fewer),
        *(Arm(name=f"first {n}, frozen", body="A", layers=n, frozen_epochs=epochs) for n in fewer),
    )


def pair_plan(experiment: Experiment) -> tuple[Trial, ...]:
    """Scratch and transfer, as in the experiment."""
    return tuple(Trial(arm=arm, samples=experiment.target_samples) for arm in arms(experiment)[:2])


def full_plan(experiment: Experiment) -> tuple[Trial, ...]:
    """All arms at the experiment's number of images, and scratch and transfer at the other budgets."""
    everything = arms(experiment)
    at_target = (
        Trial(arm=arm, samples=experiment.target_samples, keep=arm.name in ("scratch", "transfer"))
        for arm in everything
    )
    others = (samples for samples in BUDGETS if samples != experiment.target_samples)
    return *at_target, *(Trial(arm=arm, samples=samples) for samples in others for arm in everything[:2])
