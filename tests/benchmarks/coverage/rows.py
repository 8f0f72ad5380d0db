"""How these tables write a figure, and how many pairs they are of."""

import numpy as np

PAIRS = (2, 3, 5, 6, 10, 29, 100)


def percent(part: float) -> str:
    return "–" if np.isnan(part) else f"{100 * part:.1f}"
