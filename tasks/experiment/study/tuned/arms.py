"""The study's tuned arms and their plans: each arm with a recipe of its own, so that none is judged by another's.

Their controls are those of Raghu et al. 2019, "Transfusion" (what the scale of A's weights gives), and of Maennel et
al. 2020, "What do neural networks learn when trained with random labels?". Fine-tuning from a probe: Kumar et al. 2022.
Another arm, rate or budget is another entry.
"""

import math
from typing import NamedTuple

from tasks.experiment.data.splits import Problem, available_samples
from tasks.experiment.networks.tuning.grid import Grid
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import PAIR, arms
from tasks.experiment.study.plan import Arm, Plan, Trial
from tasks.experiment.study.tuned.plan import TunedArm, TunedPlan, TunedTrial

S, T = "S*", "T*"
BUDGETS = (10, 20, 30, 50, 100, 200, 400, 1_000, 2_000, None)  # labelled images of task B; None: all there are
SEEDS = tuple(range(3_000_000_001, 3_000_000_005))  # that choose recipes: beyond any that a study can report
GRID = Grid()
PENALTIES = Grid(rates=(0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0))  # on the probe's squared weights

QUICK_BUDGETS = (20, 50, 200, 1_000)
QUICK_SEEDS = SEEDS[:2]
QUICK_GRID = Grid(rates=(0.01, 0.03, 0.1, 0.3), steps=600, folds=3, widenings=1)
QUICK_REPLICATES = 8

SCRATCH = TunedArm(name=S, body="random", says="random initial weights")
TRANSFER = TunedArm(name=T, body="A", says="A's hidden layers")
CONTROLS = (
    TunedArm(name="SELF*", body="B", needs=S, says="the hidden layers of this seed's S* network, trained once more"),
    TunedArm(name="STAT*", body="like A", says="random hidden layers with each of A's layers' mean and deviation"),
    TunedArm(name="RLAB*", body="permuted A", says="the hidden layers of a network of A's images with permuted labels"),
    TunedArm(name="LP*", body="A", probe=True, tuned=False, says="logistic regression on A's last hidden layer"),
    TunedArm(name="LPFT*", body="A", probe=True, needs="LP*", says="A's hidden layers and the probe as the head"),
)


class Link(NamedTuple):
    """An arm of the chain from scratch to transfer, and what it adds to the one before it.

    by_notebook: the arm with the same body by the notebook's recipe.
    """

    arm: str
    by_notebook: str
    adds: str


# T* is tested against each of the others, in this order.
CHAIN = (
    Link(S, PAIR[0], adds=""),
    Link("STAT*", "STAT20", adds="scale"),
    Link("RLAB*", "RLAB20", adds="inputs"),
    Link(T, PAIR[1], adds="labels"),
)


def tuned_arms(experiment: Experiment) -> tuple[TunedArm, ...]:
    """All tuned arms, S* and T* first. A model of the user's has no labels that could be permuted."""
    without = {"permuted A"} if experiment.source_model else set()
    return SCRATCH, TRANSFER, *(arm for arm in CONTROLS if arm.body not in without)


def fixed_arms(experiment: Experiment) -> tuple[Arm, ...]:
    """What is between the ends of the chain, by the notebook's recipe."""
    layers, epochs, frozen = experiment.reusable_layers, experiment.target_epochs, experiment.frozen_epochs
    names = {link.arm: link.by_notebook for link in CHAIN[1:-1]}
    bodies = {names[arm.name]: arm for arm in tuned_arms(experiment) if arm.name in names}
    schedule = f"frozen for the first {frozen} of {epochs} epochs"
    return tuple(
        Arm(name=name, body=arm.body, layers=layers, frozen_epochs=frozen, says=f"{arm.says}, {schedule}")
        for name, arm in bodies.items()
    )


def full_tuned_plan(experiment: Experiment, A: Problem, B: Problem, *, resample: bool, quick: bool) -> TunedPlan:
    """All arms at the experiment's number of images, and S* and T* at the other budgets that task B has images for.

    At the experiment's number S* and T* are also chosen by the validation images, of which there are many more. quick:
    on a smaller grid, at fewer budgets, and S* is not followed to as many steps as A's training took.
    """
    own, pair = experiment.target_samples, (SCRATCH, TRANSFER)
    at_own = [TunedTrial(arm=arm, samples=own, curve=arm.tuned) for arm in tuned_arms(experiment)]
    by_validation = [TunedTrial(arm=arm, samples=own, chosen_by="validation images") for arm in pair]
    most = available_samples(B.parts()["pool"], balanced=experiment.balanced)
    budgets = [n for n in (QUICK_BUDGETS if quick else BUDGETS) if n != own and (n is None or n < most)]
    others = [TunedTrial(arm=arm, samples=samples) for samples in budgets for arm in pair]
    fixed = (Trial(arm=arm, samples=own) for arm in fixed_arms(experiment))
    images_A = 0 if quick or A.examples is None else len(A.parts()["training"])
    return TunedPlan(
        notebook=_notebook(experiment, resample, *fixed),
        samples=own,
        followed=tuple(arm for arm in arms(experiment) if arm.name in PAIR),
        trials=(*at_own, *by_validation, *others),
        **_grids(experiment, quick),
        source_steps=experiment.source_epochs * math.ceil(images_A / experiment.batch_size),
    )


def pair_tuned_plan(experiment: Experiment, *, resample: bool, quick: bool) -> TunedPlan:
    """S* and T* at the experiment's number of images."""
    trials = tuple(TunedTrial(arm=arm, samples=experiment.target_samples) for arm in (SCRATCH, TRANSFER))
    return TunedPlan(
        notebook=_notebook(experiment, resample), samples=experiment.target_samples, followed=(), trials=trials,
        **_grids(experiment, quick), source_steps=0,
    )  # fmt: skip


def _grids(experiment: Experiment, quick: bool) -> dict[str, Grid]:
    """What is tried, judged by the experiment's metric."""
    grids = {"grid": QUICK_GRID if quick else GRID, "penalties": PENALTIES}
    return {name: grid.model_copy(update={"metric": experiment.metric}) for name, grid in grids.items()}


def _notebook(experiment: Experiment, resample: bool, *trials: Trial) -> Plan:
    return Plan(
        normalization=experiment.normalization, training=experiment.scratch_training, balanced=experiment.balanced,
        resample=resample, trials=trials,
    )  # fmt: skip
