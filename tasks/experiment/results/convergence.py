"""Had training converged when it stopped? From the validation losses of all pairs.

One epoch may be a single step or thousands, so the last quarter of the epochs is compared with the quarter before:
means over epochs, and their median over pairs, which neither an odd epoch nor an odd pair moves. Where the loss fell by
more than TOO_SMALL, or steadily, longer training pays; elsewhere it hardly does (DECISIONS.md has the figures).
"""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.results.statistics.verdicts import TOO_SMALL

Losses = NDArray[np.float64]  # of each pair after each epoch, on the validation images, shape (pairs, epochs)

NEGLIGIBLE = 1.0  # percent: below, even a steady fall is not worth the time
CONVERGED = (
    f"training counts as converged unless the last quarter of the epochs lowered the mean validation loss by more than "
    f"{TOO_SMALL:.0f} % (median over pairs), or by more than {NEGLIGIBLE:.0f} % with a fall in every epoch of the last "
    "half"
)


class Convergence(TypedDict):
    """What the last epochs of each arm tell.

    fall: by how many percent the last quarter of the epochs lowered the validation loss; None for a single epoch.
    still_falling: the arms that had not converged. learning_rate: a higher one to try; None where there is no need, or
    where the loss goes up and down, which a higher rate makes worse.
    """

    fall: dict[str, float | None]
    still_falling: list[str]
    learning_rate: float | None


def convergence(losses: dict[str, Losses], learning_rate: float) -> Convergence:
    """Of each arm, by name; all were trained at this rate."""
    fall = {arm: last_quarters_fall(of_arm) for arm, of_arm in losses.items()}
    steady = {arm for arm, of_arm in losses.items() if falls_steadily(of_arm)}
    still_falling = [arm for arm, by in fall.items() if by and by > (NEGLIGIBLE if arm in steady else TOO_SMALL)]
    can_go_faster = bool(still_falling) and steady.issuperset(still_falling)
    return Convergence(
        fall=fall,
        still_falling=still_falling,
        learning_rate=_half_a_decade_above(learning_rate) if can_go_faster else None,
    )


def last_quarters_fall(losses: Losses) -> float | None:
    """Of the mean loss over a quarter of the epochs, in percent, the median over pairs; negative where it rose."""
    epochs = losses.shape[1]
    if epochs < 2:
        return None
    quarter = max(1, epochs // 4)
    before, last = losses[:, -2 * quarter : -quarter].mean(1), losses[:, -quarter:].mean(1)
    return float(100 * np.median(1 - last / before))


def falls_steadily(losses: Losses) -> bool:
    """Whether the mean over pairs fell in every epoch of the last half."""
    return bool(np.all(np.diff(losses.mean(0)[-(losses.shape[1] // 2) - 1 :]) < 0))


def _half_a_decade_above(rate: float) -> float:
    """In one digit: 0.001, 0.003, 0.009, …"""
    return float(f"{3 * rate:.0e}")
