"""The study's tables of tuned arms: what was tried, and how test errors fell with training."""

from typing import Any

import pandas as pd

Rows = list[dict[str, Any]]
RUN = ["classes", "samples", "arm", "chosen_by", "seed"]
FIGURES = ["error", "loss"]


def tabulate_curves(rows: Rows) -> pd.DataFrame:
    """One row per network and checkpoint: RUN, learning_rate, steps, epochs, and test error and loss there.

    The loss is missing from where training diverged.
    """
    keys = [*RUN, "learning_rate", "steps", "epochs"]
    table = pd.DataFrame(rows, columns=keys + FIGURES).astype(dict.fromkeys(FIGURES, float))
    return table.drop_duplicates([*RUN, "steps"]).sort_values([*RUN, "steps"], ignore_index=True)


def tabulate_tuning(rows: Rows) -> pd.DataFrame:
    """One row per tuning seed and point of the grid: RUN, learning_rate, epochs, penalty (of a mere probe), FIGURES.

    Errors and losses are means over so many held-out images; the loss is missing from where training diverged.
    """
    point = ["learning_rate", "epochs", "penalty"]
    table = pd.DataFrame(rows, columns=[*RUN, *point, "images", *FIGURES]).astype(
        dict.fromkeys([*point, *FIGURES], float)
    )
    return table.drop_duplicates([*RUN, *point]).sort_values([*RUN, *point], ignore_index=True)
