"""Does the expected accuracy's interval hold what the test images say? `python -m tests.benchmarks.recommend`.

One recommendation for each of some draws of the labels; the test images play no part in it. By default: Fashion-MNIST's
T-shirts and pullovers, with the other classes as the source.
"""

import argparse
import logging
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from flows.recommend import transfer_recommend
from tasks.experiment.recommend.settings import Question
from tasks.orchestration.servers.own_server import prefect_api
from tasks.storage.files import read_json


def main() -> None:
    """Print one row per number of labels."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.recommend", description=__doc__)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--labels", type=lambda text: [int(n) for n in text.split(",")], default=[20, 50, 200])
    parser.add_argument("--quick", action="store_true", help="fewer rates, steps and repetitions")
    parser.add_argument("--question", default="{}", help='further settings as JSON: {"dataset": "digits.npz"}')
    arguments = parser.parse_args()
    settings = Question.model_validate_json(arguments.question).model_dump() | {"quick": arguments.quick}
    logging.disable(logging.WARNING)
    table = Table("labels", "expected", "interval", "test", "held", "off by", "recommended")
    with prefect_api():
        for labels in arguments.labels:
            question = Question.model_validate(settings | {"labels": labels})
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
