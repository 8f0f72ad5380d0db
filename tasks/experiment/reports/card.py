"""A model card: what a model was trained on, what it takes and gives, how good it is, and its limits.

In the format of Hugging Face's model hub: Markdown below a head in YAML.
"""

from pathlib import Path
from typing import Any

from tasks.experiment.reports.page import render
from tasks.experiment.reports.sentences import told_apart
from tasks.experiment.results.statistics import accuracy_interval

ROLES = {
    "A": "task A, the source",
    "B_scratch": "task B, trained from random initial weights",
    "B_on_A": "task B, trained on the hidden layers of A",
}


def model_card(name: str, metrics: dict[str, Any], last_epoch: dict[str, float] | None) -> str:
    """The card of "A", "B_scratch" or "B_on_A", the first replicate's. metrics: as in metrics.json.

    last_epoch: A's, for it is not tested, but validated. None: it is the user's own model, of which nothing is known.
    """
    data, experiment, first = metrics["data"], metrics["experiment"], metrics["replicates"][0]
    if name == "A":
        classes, part = data["source_classes"], "validation"
        accuracy = last_epoch["validation_accuracy"] if last_epoch else None
        dataset = experiment["source_dataset"] or experiment["dataset"]
    else:
        classes, part, dataset = data["target_classes"], "test", experiment["dataset"]
        accuracy = first["scratch" if name == "B_scratch" else "transfer"]["accuracy"]
    images = data["images"]["A" if name == "A" else "B"]
    return render(
        "card.model.md.j2", name=name, role=ROLES[name], classes=classes, part=part, dataset=dataset,
        apart=classes and told_apart(tuple(classes)), images=images, metrics=metrics, seed=first["seed"],
        accuracy=accuracy, interval=accuracy and accuracy_interval(accuracy, images[part]),
    )  # fmt: skip


def class_names(model: Path) -> list[str] | None:
    """The classes in the order of a model's outputs, from the card beside it: <model>.md, or README.md as on a hub."""
    import yaml

    for card in (model.with_suffix(".md"), model.with_name("README.md")):
        if card.is_file():
            parts = card.read_text("utf-8").split("---\n")
            head = yaml.safe_load(parts[1]) if len(parts) > 2 and not parts[0] else None
            if isinstance(head, dict) and head.get("classes"):
                return [str(name) for name in head["classes"]]
    return None
