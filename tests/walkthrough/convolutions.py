"""Does transfer help a convolutional network more? `python -m tests.walkthrough.convolutions MLP_METRICS CNN_METRICS`.

The notebook claims that convolutional layers "will transfer much better". Two runs of the same seeds and images, one
with `--experiment.network cnn`, are compared: the difference of their error reductions, seeds paired.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tasks.experiment.results import pairs
from tasks.experiment.results.statistics.intervals import difference_interval


def difference(mlp: dict[str, Any], cnn: dict[str, Any]) -> dict[str, Any]:
    """How many percentage points the error reduction of `cnn` is above that of `mlp`, with its 95 % interval."""
    seeds = [[pair["seed"] for pair in metrics["replicates"]] for metrics in (mlp, cnn)]
    if seeds[0] != seeds[1]:
        raise ValueError("the runs have different seeds")
    errors = [pairs.errors(metrics["replicates"]) for metrics in (mlp, cnn)]
    points, low, high = difference_interval(*errors)
    return {"points": float(points), "low": float(low), "high": float(high), "pairs": len(seeds[0])}


if __name__ == "__main__":
    given = [json.loads(Path(path).read_text()) for path in sys.argv[1:3]]
    for metrics in given:
        print(metrics["experiment"]["network"], json.dumps(metrics["error_reduction"]))
    print("cnn − mlp", json.dumps(difference(*given)))
