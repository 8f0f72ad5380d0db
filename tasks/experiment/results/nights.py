"""Does the answer still stand? A night's result beside those of the nights before it.

A night is a run that recomputed everything; only nights of the same experiment and the same seeds are compared.
"""

from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Night(BaseModel):
    """One night's result: error reduction in percent with its interval, the weights' digests, what made them."""

    model_config = ConfigDict(frozen=True)
    run: str
    date: str
    estimate: float | None
    low: float | None
    high: float | None
    weights: list[dict[str, str]]
    made_with: dict[str, str]


class Verdict(BaseModel):
    """What a night says about the nights before it, and why, in one sentence."""

    model_config = ConfigDict(frozen=True)
    name: Literal["First", "Reproduced", "Drifted", "Regressed"]
    reason: str


def judge(tonight: Night, earlier: list[Night]) -> Verdict:
    """Regressed: outside the earlier nights' interval. Reproduced: the same weights as last night. Drifted: the rest.

    That interval goes from the median night's lower bound to the median night's upper bound, so that neither one odd
    night nor a slow drift moves it much.
    """
    if not earlier:
        return Verdict(name="First", reason="There is no earlier night with these settings to compare with.")
    last = earlier[-1]
    same = tonight.weights == last.weights
    since = f"Changed since {last.run}: {', '.join(changes(last, tonight)) or 'nothing in code or versions'}."
    interval = typical_interval(earlier)
    if tonight.estimate is None or interval is None:
        answer = "Whether the answer moved can't be told: there is no interval to compare with."
    else:
        low, high = interval
        place = "inside" if low <= tonight.estimate <= high else "outside"
        answer = f"Error reduction {tonight.estimate:.1f} % is {place} the earlier nights' {low:.1f} … {high:.1f} %."
        if place == "outside":
            return Verdict(name="Regressed", reason=f"{answer} {since}")
    if same:
        return Verdict(name="Reproduced", reason=f"The same weights as in {last.run}, bit for bit.")
    return Verdict(name="Drifted", reason=f"Other weights than in {last.run}. {answer} {since}")


def typical_interval(nights: list[Night]) -> tuple[float, float] | None:
    """The median of the nights' lower and that of their upper bounds, in percent; None if no night has an interval."""
    bounds = [(night.low, night.high) for night in nights if night.low is not None and night.high is not None]
    if not bounds:
        return None
    return median(low for low, _ in bounds), median(high for _, high in bounds)


def changes(before: Night, after: Night) -> list[str]:
    """What made the results and has changed: versions as `keras 3.14 → 3.15`, modules by name."""
    named = []
    for name in sorted(before.made_with.keys() | after.made_with.keys()):
        old, new = before.made_with.get(name), after.made_with.get(name)
        if old != new:
            is_code = name.split(".")[0] == "tasks"
            named.append(name if is_code else f"{name} {old or 'not used'} → {new or 'not used'}")
    return named
