"""The same comparison at equal numbers of SGD steps."""

from tasks.experiment.results.differences import Difference


class AtSteps(Difference):
    """Scratch is judged after `steps` steps; source_counted: these contain the steps of A."""

    steps: int
    source_counted: bool
