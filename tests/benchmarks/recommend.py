"""Does the expected accuracy's interval hold what the test images say? `python -m tests.benchmarks.recommend DATA`.

One recommendation for each of some draws of the labels; the test images play no part in it. DATA is fashion-mnist
(T-shirts and pullovers, with the other classes as the source), digits (scikit-learn's, with a Keras model that was
trained on others of them) or photos (tiles of two photographs, with a model that has a nested backbone).
"""

import argparse
import logging
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from flows.recommend import transfer_recommend
from tasks.experiment.recommend.settings import Question
from tasks.orchestration.servers.own_server import prefect_api
from tasks.storage.files import read_json
from tests.walkthrough import digits, photos


class Case(NamedTuple):
    """labels: how many are drawn, in turn; question: the rest of what is asked."""

    labels: Sequence[int]
    question: dict[str, Any]


CASES = {
    "fashion-mnist": Case([20, 50, 200], {}),
    "digits": Case([60], {"dataset": "digits.npz", "classes": [3, 8, 9], "source_models": ["digits.keras"]}),
    "photos": Case([50], {"dataset": "photos", "source_models": ["backbone.keras"]}),
}


def write(case: str) -> None:
    """The case's files, here."""
    if case == "digits":
        digits.write_npz(Path("digits.npz"), test=1000, shuffled=True)
        digits.write_model(Path("digits.keras"))
    elif case == "photos":
        photos.write_folder(Path("photos"))
        photos.write_model(Path("backbone.keras"))


def main() -> None:
    """Print one row per number of labels."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.recommend", description=__doc__)
    parser.add_argument("data", choices=CASES)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--labels", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--quick", action="store_true", help="fewer rates, steps and repetitions")
    arguments = parser.parse_args()
    case = CASES[arguments.data]
    logging.disable(logging.WARNING)
    table = Table("labels", "expected", "interval", "test", "held", "off by", "recommended")
    with tempfile.TemporaryDirectory() as folder, chdir(folder), prefect_api():
        write(arguments.data)
        for labels in arguments.labels or case.labels:
            question = Question.model_validate(case.question | {"labels": labels, "quick": arguments.quick})
            draws = range(1, arguments.draws + 1)
            found = [read_json(Path(transfer_recommend(question, seed)) / "metrics.json") for seed in draws]
            table.add_row(*row(labels, found))
            Console(width=160).print(table)


def row(labels: int, found: list[dict]) -> list[str]:
    """What these recommendations came to."""
    expected = [each["choice"]["expected"] for each in found]
    low, middle, high = (100 * np.array([each[end] for each in expected]) for end in ("low", "estimate", "high"))
    test = 100 * np.array([each["test"]["accuracy"] for each in found])
    chosen = Counter(each["choice"]["chosen"] for each in found)
    return [
        f"{labels}", f"{middle.mean():.1f} %", f"{low.mean():.1f} … {high.mean():.1f} %", f"{test.mean():.1f} %",
        f"{np.sum((low <= test) & (test <= high))} of {len(found)}", f"{np.abs(test - middle).mean():.1f} points",
        "; ".join(f"{name} ({count})" for name, count in chosen.most_common()),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
