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
    schedule = f"frozen for the first {frozen} of {epochs} epochs"
    own = "the hidden layers of this seed's scratch network, which is therefore trained on task B twice as long"
    return (
        Arm(name=SCRATCH, body="random", layers=0, frozen_epochs=0, says="random initial weights"),
        Arm(name=TRANSFER, body="A", layers=layers, frozen_epochs=frozen, says=f"A's hidden layers, {schedule}"),
        Arm(name="fine-tune", body="A", layers=layers, frozen_epochs=0, says="A's hidden layers, never frozen"),
        Arm(name="probe", body="A", layers=layers, frozen_epochs=epochs, says="A's hidden layers, frozen throughout"),
        Arm(name="random body", body="random", layers=layers, frozen_epochs=frozen, says=f"random layers, {schedule}"),
        Arm(name=SELF_TRANSFER, body="B", layers=layers, frozen_epochs=frozen, says=f"{own}; {schedule}"),
        *(_first_layers(n, "fine-tuned", 0) for n in fewer),
        *(_first_layers(n, "frozen", epochs) for n in fewer),
    )


def _first_layers(n: int, how: str, frozen_epochs: int) -> Arm:
    layers = f"{n} hidden layers" if n > 1 else "hidden layer"
    says = f"only A's first {layers}, {'frozen throughout' if frozen_epochs else 'never frozen'}"
    return Arm(name=f"first {n}, {how}", body="A", layers=n, frozen_epochs=frozen_epochs, says=says)


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
