"""The study's arms and plans: which networks are trained on task B, and on how many of its images.

The controls are those of Yosinski et al. 2014, "How transferable are features in deep neural networks?"
"""

from tasks.experiment.settings import Experiment
from tasks.experiment.study.plan import Arm, Plan, Trial

SCRATCH, TRANSFER, SELF_TRANSFER = "scratch", "transfer", "self-transfer"
PAIR = (SCRATCH, TRANSFER)
BUDGETS = (20, 50, 100, 200, 400, 1_000, 2_000, None)  # labelled images of task B; None: all there are


def arms(experiment: Experiment) -> tuple[Arm, ...]:
    """All arms, scratch and transfer first. Another arm is another line."""
    layers, epochs, frozen = experiment.reusable_layers, experiment.target_epochs, experiment.frozen_epochs
    fewer = range(1, layers or 1)
    return (
        Arm(name=SCRATCH, body="random", layers=0, frozen_epochs=0),
        Arm(name=TRANSFER, body="A", layers=layers, frozen_epochs=frozen),
        Arm(name="fine-tune", body="A", layers=layers, frozen_epochs=0),
        Arm(name="probe", body="A", layers=layers, frozen_epochs=epochs),
        Arm(name="random body", body="random", layers=layers, frozen_epochs=frozen),
        Arm(name=SELF_TRANSFER, body="B", layers=layers, frozen_epochs=frozen),
        *(Arm(name=f"first {n}, fine-tuned", body="A", layers=n, frozen_epochs=0) for n in fewer),
        *(Arm(name=f"first {n}, frozen", body="A", layers=n, frozen_epochs=epochs) for n in fewer),
    )


def pair_plan(experiment: Experiment, *, resample: bool) -> Plan:
    """Scratch and transfer, as in the experiment."""
    trials = (Trial(arm=arm, samples=experiment.target_samples) for arm in arms(experiment)[:2])
    return _plan(experiment, resample, *trials)


def full_plan(experiment: Experiment, *, resample: bool) -> Plan:
    """All arms at the experiment's number of images, and scratch and transfer at the other budgets."""
    everything = arms(experiment)
    at_target = (Trial(arm=arm, samples=experiment.target_samples, keep=arm.name in PAIR) for arm in everything)
    budgets = (samples for samples in BUDGETS if samples != experiment.target_samples)
    others = (Trial(arm=arm, samples=samples) for samples in budgets for arm in everything[:2])
    return _plan(experiment, resample, *at_target, *others)


def _plan(experiment: Experiment, resample: bool, *trials: Trial) -> Plan:
    return Plan(
        normalization=experiment.normalization,
        training=experiment.scratch_training,
        balanced=experiment.balanced,
        resample=resample,
        trials=trials,
    )
