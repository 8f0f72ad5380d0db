"""The card of a recommended model, in the format of Hugging Face's hub."""

from typing import Any

from tasks.experiment.reports.page import render
from tasks.experiment.reports.recommend.sentences import between, in_percent, said_by_test_images
from tasks.experiment.reports.sentences import distinction


def recommended_card(metrics: Any, licence: str | None) -> str:
    """metrics: a RecommendationMetrics, with `run`. licence: as a hub abbreviates it; None: the user's own."""
    expected = metrics["choice"]["expected"]
    return render(
        "card.recommended.md.j2", metrics=metrics, licence=licence, tested=said_by_test_images(metrics["test"]),
        distinction=distinction(metrics["data"]["target_classes"]),
        expected=f"{in_percent(expected)} ({between(expected)})",
    )  # fmt: skip
