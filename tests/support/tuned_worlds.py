"""Made-up tables of a study with tuned arms whose answer is known: how each arm errs, and what is left of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tasks.experiment.results.tuned import CROSS_VALIDATION, NOTEBOOK, VALIDATION_IMAGES, ChosenRecipe
from tasks.experiment.study.tuned.answers import TunedTables

IMAGES = 2000  # of the test set
BUDGETS = (20, 50, 100, 200, 400, 1_000)
SOURCE_STEPS = 27_520
CHECKPOINTS = np.array([7, 14, 35, 70, 140, 350, 700, 1400, 3500, 7000, 14_000, 35_000])
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)

# True mean errors in percent with 200 images. The notebook's recipe is the same in all worlds, and far from its end.
UNFINISHED = {"scratch": 10.8, "STAT20": 9.0, "RLAB20": 8.6, "transfer": 8.4}
SAME = UNFINISHED | dict.fromkeys(("S*", "T*", "SELF*", "STAT*", "RLAB*", "LP*", "LPFT*"), 4.0)
LABELS_MATTER = SAME | {"T*": 3.0, "LP*": 3.2, "LPFT*": 3.0}
SCALE_MATTERS = SAME | {"T*": 3.0, "STAT*": 3.0, "RLAB*": 3.0, "LPFT*": 3.0}
A_HURTS = SAME | {"T*": 5.0, "LP*": 6.0}
FEW_LABELS_PAY = SAME | {"few": 0.15}
WORLDS = {
    "few labels pay": FEW_LABELS_PAY,
    "same": SAME,
    "labels matter": LABELS_MATTER,
    "scale matters": SCALE_MATTERS,
    "A hurts": A_HURTS,
}

CHAIN = {"S*": "", "STAT*": "scale", "RLAB*": "inputs", "T*": "labels"}

World = Mapping[str, float]


def made_up(world: World, seeds: int = 29, *, classes: int = 0, seed: int = 1) -> TunedTables:
    """All tables; classes: how many other pairs of classes there are, with three seeds each."""
    rng = np.random.default_rng(seed)
    runs = [
        *(row for arm in _arms(world) for row in _runs(rng, world, arm, seeds)),
        *(row for n in BUDGETS if n != 200 for arm in ("S*", "T*") for row in _runs(rng, world, arm, seeds, samples=n)),
        *(row for arm in ("S*", "T*") for row in _runs(rng, world, arm, seeds, chosen_by=VALIDATION_IMAGES)),
        *(
            row for pair in _other_pairs(classes) for arm in ("S*", "T*")
            for row in _runs(rng, world, arm, 3, negative=pair[0], positive=pair[1])
        ),
    ]  # fmt: skip
    curves = [row for arm in _arms(world) if arm != "LP*" for row in _curves(arm, world[arm], seeds)]
    tuning = [
        _what(arm, 200, CROSS_VALIDATION, 1_000_000 + number)
        | {"learning_rate": rate, "epochs": 100, "error": world[arm] / 100 + abs(np.log10(rate) + 1) / 50, "loss": 0.1,
           "penalty": np.nan} | ({"learning_rate": np.nan, "epochs": np.nan, "penalty": rate} if arm == "LP*" else {})
        for arm in _arms(world) if arm.endswith("*") for number in range(4) for rate in RATES
    ]  # fmt: skip
    recipes = [
        ChosenRecipe(
            classes="0 2",
            arm=arm,
            samples=200,
            chosen_by=CROSS_VALIDATION,
            learning_rate=0.1,
            epochs=100,
            edge=None,
            extended=0,
        )
        for arm in _arms(world)
        if arm.endswith("*")
    ]  # fmt: skip
    return TunedTables(pd.DataFrame(runs), pd.DataFrame(curves), pd.DataFrame(tuning), recipes, SOURCE_STEPS)


def errors_of(
    rng: np.random.Generator, world: World, arm: str, shape: tuple[int, ...], samples: int = 200
) -> np.ndarray:
    """Errors in whole images, spread by an eighth of their mean; the more labelled images, the fewer errors."""
    mean = world[arm] / 100 * (samples / 200) ** -0.4
    if arm == "T*" and "few" in world:  # the fewer images, the more does A help
        mean *= min(1, (samples / 200) ** world["few"])
    return np.round(IMAGES * mean * (1 + rng.standard_normal(shape) / 8)).clip(0) / IMAGES


def strata(seed: int, pairs: int, seeds: int, effect: float) -> tuple[np.ndarray, np.ndarray]:
    """Errors of pairs of classes that are easy and hard, (pairs, seeds), spread by a quarter of their means.

    effect: the true error reduction in percent.
    """
    mean = np.linspace(0.01, 0.2, pairs)[:, None]
    spread = np.random.default_rng(seed).standard_normal((2, pairs, seeds)) / 4
    scratch, transfer = mean * (1 + spread)
    return scratch, transfer * (1 - effect / 100)


def _arms(world: World) -> list[str]:
    return [name for name in world if name != "few"]


def _other_pairs(classes: int) -> list[tuple[int, int]]:
    pairs = [(a, b) for a in range(10) for b in range(a + 1, 10) if (a, b) != (0, 2)]
    return pairs[:classes]


def _what(arm: str, samples: int, chosen_by: str, seed: int, negative: int = 0, positive: int = 2) -> dict[str, Any]:
    return {
        "normalization": "standardize", "classes": f"{negative} {positive}", "negative": negative,
        "positive": positive, "samples": samples, "arm": arm, "chosen_by": chosen_by, "seed": seed,
    }  # fmt: skip


def _runs(
    rng: np.random.Generator, world: World, arm: str, seeds: int, *, samples: int = 200, chosen_by: str | None = None,
    negative: int = 0, positive: int = 2,
) -> list[dict[str, Any]]:  # fmt: skip
    tuned = arm.endswith("*")
    chosen_by = chosen_by or (CROSS_VALIDATION if tuned else NOTEBOOK)
    recipe = {"learning_rate": 0.1, "epochs": 100.0} if tuned else {"learning_rate": 0.001, "epochs": 20.0}
    if arm == "LP*":
        recipe = {"learning_rate": np.nan, "epochs": np.nan}
    return [
        _what(arm, samples, chosen_by, number, negative, positive)
        | recipe
        | {"body": "permuted A" if arm.startswith("RLAB") else "A"}
        | {"accuracy": 1 - error, "loss": 0.3, "diverged": False}
        for number, error in enumerate(errors_of(rng, world, arm, (seeds,), samples))
    ]


def _curves(arm: str, end: float, seeds: int) -> list[dict[str, Any]]:
    """From 50 % down to the arm's mean error: half of what is left is learned in 30 steps, or in 3 if tuned."""
    half = 3 if arm.endswith("*") else 30
    last = CHECKPOINTS[-1] if arm == "S*" else 1400 if arm.endswith("*") else 140
    steps = CHECKPOINTS[last >= CHECKPOINTS]
    errors = end / 100 + (0.5 - end / 100) * 0.5 ** (steps / half)
    chosen_by = CROSS_VALIDATION if arm.endswith("*") else NOTEBOOK
    return [
        _what(arm, 200, chosen_by, number)
        | {"learning_rate": 0.1, "steps": step, "epochs": step // 7, "error": error * (1 + (number - seeds / 2) / 200)}
        for number in range(seeds)
        for step, error in zip(steps.tolist(), errors, strict=True)
    ]
