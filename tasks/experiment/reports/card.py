"""A model card: what a model was trained on, what it takes and gives, how good it is, and its limits.

In the format of Hugging Face's hub: Markdown below a YAML header.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tasks.experiment.reports.metrics import Metrics
from tasks.experiment.reports.page import render
from tasks.experiment.reports.sentences import distinction
from tasks.experiment.results.statistics.basics import accuracy_interval


@dataclass(frozen=True)
class Role:
    """says: what the model is. arm: the one that its test accuracy is found under; None for A, which is not tested."""

    says: str
    arm: Literal["scratch", "transfer"] | None


ROLES = {
    "A": Role("task A, the source", None),
    "B_scratch": Role("task B, trained from random initial weights", "scratch"),
    "B_on_A": Role("task B, trained on the hidden layers of A", "transfer"),
}


def model_card(name: str, metrics: Metrics, last_epoch: dict[str, float] | None, licence: str | None = None) -> str:
    """The card of one of ROLES, the first replicate's.

    last_epoch: A's, which is validated, not tested. None: it is the user's own model, of which nothing is known.
    licence: of what it was trained on, as a hub abbreviates it; None if that is the user's own.
    """
    data, experiment, first, role = metrics["data"], metrics["experiment"], metrics["replicates"][0], ROLES[name]
    classes: list[str] | None
    if role.arm:
        task, part, classes, dataset = "B", "test", data["target_classes"], experiment["dataset"]
        accuracy: float | None = first[role.arm]["accuracy"]
    else:
        task, part, classes = "A", "validation", data["source_classes"]
        dataset = experiment["source_dataset"] or experiment["dataset"]
        accuracy = last_epoch["validation_accuracy"] if last_epoch else None
    images = data["images"][task]
    tuned = [each for each in metrics.get("recipes", []) if (each["seed"], each["arm"]) == (first["seed"], role.arm)]
    return render(
        "card.model.md.j2", name=name, role=role.says, task=task, classes=classes, part=part, dataset=dataset,
        distinction=classes and distinction(classes), images=images, metrics=metrics, seed=first["seed"], tuned=tuned,
        scores=first[role.arm] if role.arm else None, licence=licence, accuracy=accuracy,
        interval=accuracy and accuracy_interval(accuracy, images[part]),
    )  # fmt: skip


def read_head(model: Path) -> dict[str, Any]:
    """The head of the card beside a model: <model>.md, or README.md as on a hub. Empty if none has classes.

    classes: in the order of the model's outputs. image_fit: how images of another size are made to fit.
    """
    import yaml

    for card in (model.with_suffix(".md"), model.with_name("README.md")):
        if card.is_file():
            parts = card.read_text("utf-8").split("---\n")
            head = yaml.safe_load(parts[1]) if len(parts) > 2 and not parts[0] else None
            if isinstance(head, dict) and head.get("classes"):
                return head
    return {}
