"""What a study tunes, as plain data: arms whose learning rate and epochs are chosen, by number of labelled images."""

from typing import Literal

from pydantic import Field

from tasks.experiment.networks.tuning.grid import Grid, Recipe
from tasks.experiment.study.plan import Arm, Plan
from tasks.storage.artifacts import Handle

ChosenBy = Literal["cross-validation", "validation images"]


class TunedArm(Handle):
    """One way to train on task B whose recipe is chosen. All start from the same initial weights but for their body.

    body: whose hidden layers it starts from: nobody's ("random"), A's, those of this seed's scratch network ("B"),
    random ones that are distributed as A's are ("like A"), or those of a network that learned A's images with permuted
    labels ("permuted A"). They are never frozen. probe: the head is a converged linear probe of that body, not random.
    tuned: all layers are then trained by SGD. needs: the arm by whose recipe the start is made.
    says: what the arm is, for the study's readers; it is in no cache key.
    """

    name: str
    body: Literal["random", "A", "B", "like A", "permuted A"]
    probe: bool = False
    tuned: bool = True
    needs: str | None = None
    says: str = Field(exclude=True)


class TunedTrial(Handle):
    """One arm on so many labelled images (None: all there are), and what its recipe is chosen by.

    curve: each seed's network is followed along its trajectory too.
    """

    arm: TunedArm
    samples: int | None
    chosen_by: ChosenBy = "cross-validation"
    curve: bool = False

    @property
    def key(self) -> tuple[str, int | None, str]:
        return self.arm.name, self.samples, self.chosen_by

    @property
    def needed(self) -> tuple[str | None, int | None, str]:
        """The key of the trial by whose recipe the start is made."""
        return self.arm.needs, self.samples, self.chosen_by


class TunedPlan(Handle):
    """What is tuned, and then trained for each seed.

    notebook: the plan of the fixed recipe. Its trials, which start from what only tuned arms have, are trained too;
    what it says of pixels and images holds for the tuned arms as well. samples: the experiment's number. followed: arms
    of that recipe that are followed along their trajectories. source_steps: of A's training, to count them too; or 0.
    """

    notebook: Plan
    samples: int
    followed: tuple[Arm, ...]
    trials: tuple[TunedTrial, ...]
    grid: Grid
    penalties: Grid
    source_steps: int

    @property
    def permutes(self) -> bool:
        """Whether an arm needs A trained on permuted labels."""
        return any(trial.arm.body == "permuted A" for trial in self.trials)

    def grid_of(self, arm: TunedArm) -> Grid:
        return self.grid if arm.tuned else self.penalties


class Attempt(Handle):
    """What is tried of a trial in one round: this grid. needed: the recipe by which its start is made."""

    trial: TunedTrial
    grid: Grid
    needed: Recipe | None = None


class Chosen(Handle):
    """A trial's recipe; needed: that by which its start is made. extended: by how many rates the grid had to grow."""

    trial: TunedTrial
    recipe: Recipe
    needed: Recipe | None = None
    extended: int = 0
