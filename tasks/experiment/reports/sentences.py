"""Results in one sentence, which claims no more than the numbers do."""

from typing import Any

NAMED = 5  # more classes than that are counted


def answer(metrics: dict[str, Any]) -> str:
    """The result in one sentence, which claims a direction only if the interval does."""
    result = metrics["error_reduction"]
    estimate, low, high = result["estimate"], result["low"], result["high"]
    if estimate is None:
        return "Training from scratch made no test error at all: there is nothing to reduce."
    if low is None:
        verb = "cut" if estimate >= 0 else "raised"
        return (
            f"Transfer {verb} the test error by {abs(estimate):.1f} % in a single pair of runs: no interval, no claim."
        )
    how = f"{result['n']} pairs of runs, {result['method']}"
    percent = f"{100 * result['confidence']:.0f} % interval"
    if low > 0:
        return f"Transfer cut the test error by {estimate:.1f} % ({percent} {low:.1f} … {high:.1f} %, {how})."
    if high < 0:
        return f"Transfer raised the test error by {-estimate:.1f} % ({percent} {-high:.1f} … {-low:.1f} %, {how})."
    return (
        "These runs can't tell whether transfer helps: it cut the test error by "
        f"{estimate:.1f} % ({percent} {low:.1f} … {high:.1f} %, {how})."
    )


def told_apart(names: tuple[str, ...]) -> str:
    """What task B is, to follow "to tell"."""
    if len(names) == 2:
        return f"{names[0]} from {names[1]}"
    return f"{', '.join(names[:-1])} and {names[-1]} apart" if len(names) <= NAMED else f"{len(names)} classes apart"


def study_answer(study: dict[str, Any]) -> str:
    """The study's result in one sentence: its verdict, the error reduction, its worth in labels, and A's part in it."""
    help, labels = study["help"], study["labels"]
    n = help["error_reduction"]["n"]
    said = {
        "helps": "Transfer helps",
        "hurts": "Transfer hurts",
        "can't tell": f"{n} {'pairs' if n > 1 else 'pair'} of runs can't tell whether transfer helps",
        "too small to matter": "What transfer changes is too small to matter",
    }[help["verdict"]]
    if help["error_reduction"]["estimate"] is None:
        return f"{said}: training from scratch made no test error at all."
    worth = f"{labels['at']:,} images with transfer are worth {_count(labels['equivalent'])} from scratch"
    sentence = f"{said}: error reduction {_percent(help['error_reduction'])}; {worth}"
    return sentence + (f"; {_part_of_A(study['arms'])}." if help["verdict"] == "helps" else ".")


def _part_of_A(arms: dict[str, Any]) -> str:
    own = next(arm for arm in arms["against_scratch"] if arm["arm"] == "self-transfer")
    verdict = next(arm["verdict"] for arm in arms["transfer_against"] if arm["arm"] == "self-transfer")
    said = {
        "helps": "and it is A that helps",
        "hurts": "but it is not A that helps",
        "can't tell": "but these runs can't tell whether it is A that helps",
        "too small to matter": "but it is not A that helps",
    }[verdict]
    return f"{said}: self-transfer, the same without A, comes to {_percent(own['error_reduction'])}"


def _percent(result: dict[str, Any]) -> str:
    if result["low"] is None:
        return f"{result['estimate']:.1f} % (a single pair, no interval)"
    interval = f"{result['low']:.1f} … {result['high']:.1f} %"
    return f"{result['estimate']:.1f} % ({100 * result['confidence']:.0f} % interval {interval}, {result['n']} pairs)"


def _count(equal: dict[str, Any]) -> str:
    """A number of images with its interval; the ends of the budgets are open."""

    def images(n: float) -> str:
        if n <= equal["smallest"]:
            return f"{equal['smallest']:,} or fewer"
        return f"{equal['largest']:,} or more" if n >= equal["largest"] else f"{n:,.0f}"

    interval = f" ({images(equal['low'])} … {images(equal['high'])})" if equal["low"] is not None else ""
    return images(equal["estimate"]) + interval
