"""A night, and changes of code, as `Machine.edit` takes them, after which the next night has another verdict."""

from typing import Any

from tests.support.runs import QUICK

LEARNS = QUICK.vary(learning_rate=0.02)  # enough in so few epochs for transfer to be better than nothing
NIGHT: dict[str, Any] = {"replicates": 5, "experiment": LEARNS, "seed": 42, "keep": 3}
DRIFTS = "tasks/experiment/networks/program.py", "w - r * g for", "w - 1.001 * r * g for"  # another trainer
REGRESSES = (  # no transfer at all
    "tasks/experiment/networks/architectures.py",
    "set_weights(theirs.get_weights())",
    "set_weights([0 * w for w in theirs.get_weights()])",
)
