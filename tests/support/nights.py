"""Changes of a machine's code, as `Machine.edit` takes them, after which the next night has another verdict."""

DRIFTS = "tasks/experiment/networks/program.py", "w - r * g for", "w - 1.001 * r * g for"  # another trainer
REGRESSES = (  # no transfer at all
    "tasks/experiment/networks/architectures.py",
    "set_weights(theirs.get_weights())",
    "set_weights([0 * w for w in theirs.get_weights()])",
)
