"""`make bench`: the trainer and the flow against plain Keras, the notebook's script, peers and the machine.

Everything is timed in one run, turn by turn, and quoted as medians and ratios: absolute times are this machine's.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
CORES = os.cpu_count() or 1
Row = dict[str, Any]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(rounds: int, **contestants: Callable[[], float]) -> dict[str, float]:
    """Median of each contestant's own figure over `rounds`, after a warm-up round, taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, contestant in contestants.items():
            figure = contestant()
            if number:
                taken[name].append(figure)
    return {name: statistics.median(figures) for name, figures in taken.items()}


class SourceTask:
    """Task A on the real data, as arrays and as models."""

    def __init__(self) -> None:
        from tasks.experiment import sources
        from tasks.experiment.recipe import Experiment
        from tasks.experiment.splits import first_samples, task_examples

        data = sources.fetch()
        labels, self.images = data.labels("train"), data.images("train")
        classes = (1, 3, 4, 5, 6, 7, 8, 9)
        self.train, self.valid = (
            task_examples(labels, classes, 0, 55_000),
            task_examples(labels, classes, 55_000, 60_000),
        )
        target = task_examples(labels, (0, 2), 0, 55_000)
        self.target = first_samples(target, 200, balanced=False), task_examples(labels, (0, 2), 55_000, 60_000)
        self.mean = self.images[:55_000].mean(0).astype(np.float32)
        self.std = self.images[:55_000].std(0).astype(np.float32)
        self.experiment = Experiment()
        scaled = (self.images - self.mean) / self.std  # float32, which is kinder to `fit` than the notebook's float64
        self.x, self.y = scaled[self.train.rows], self.train.labels
        self.x_valid, self.y_valid = scaled[self.valid.rows], self.valid.labels

    def network(self, classes: int = 8, seed: int = 1) -> Any:
        from tasks.experiment.networks import build_network

        return build_network(self.experiment.source_training, classes, (self.mean, self.std), seed)

    def train_with_trainer(self, model: Any, epochs: int = 1, seed: int = 1) -> list[Any]:
        from tasks.experiment.randomness import generator
        from tasks.experiment.trainer import train

        order = generator(seed, "bench")
        settings = {"learning_rate": 1e-3, "batch_size": 32, "epochs": epochs, "order": order}
        return train(model, self.images, self.train, self.valid, **settings)

    def plain_model(self) -> Any:
        """The notebook's model of task A, compiled, for scaled pixels; the same initial weights as network()."""
        import keras

        layers = self.network().layers
        model = keras.Sequential([keras.Input((28, 28)), *layers[1:]])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.optimizer.learning_rate = 1e-3
        return model


def epoch_of_a(task: SourceTask, rounds: int) -> list[Row]:
    """One epoch of A with its validation: `fit`, the trainer alone, and as many trainers as cores side by side."""
    plain, alone, several = task.plain_model(), task.network(), [task.network() for _ in range(CORES)]
    last: dict[str, float] = {}

    def fit() -> None:
        done = plain.fit(task.x, task.y, batch_size=32, verbose=0, validation_data=(task.x_valid, task.y_valid))
        last["fit"] = done.history["val_loss"][-1]

    def side_by_side(epochs: int) -> None:
        threads = [threading.Thread(target=task.train_with_trainer, args=(model, epochs)) for model in several]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def trainer(epochs: int = 5) -> float:
        taken = seconds(lambda: last.update(trainer=task.train_with_trainer(alone, epochs)[-1].validation_loss))
        return taken / epochs

    figures = in_turn(
        rounds,
        fit=lambda: seconds(fit),
        trainer=trainer,
        several=lambda: seconds(lambda: side_by_side(5)) / 5 / CORES,
    )
    fresh = task.network()
    same_epochs = task.train_with_trainer(fresh, rounds + 1)[-1].validation_loss
    assert abs(same_epochs - last["fit"]) < 0.05, "the compared runs must reach the same loss"
    return [
        {"what": "epoch of A: Keras fit", "seconds": figures["fit"]},
        {"what": "epoch of A: trainer, one replicate", "seconds": figures["trainer"],
         "against": "Keras fit", "times faster": figures["fit"] / figures["trainer"], "goal": 7},
        {"what": f"epoch of A per replicate: trainer, {CORES} side by side", "seconds": figures["several"],
         "against": "Keras fit", "times faster": figures["fit"] / figures["several"], "goal": 12},
    ]  # fmt: skip


def target_pair(task: SourceTask, notebook: Row, pairs: int = 30) -> list[Row]:
    """One pair of B: the notebook's way, against what one more pair costs the trainer at 30 pairs on all cores."""
    import tensorflow as tf

    from tasks.experiment.networks import hidden_layers, transfer_hidden_layers
    from tasks.experiment.randomness import generator
    from tasks.experiment.trainer import train

    train_rows, valid_rows = task.target
    source, images = task.network(), tf.constant(task.images)

    def pair(seed: int) -> None:
        for frozen in (0, 4):
            model = task.network(2, seed)
            if frozen:
                transfer_hidden_layers(source, model)
            names = tuple(layer.name for layer in hidden_layers(model))
            train(model, images, train_rows, valid_rows, learning_rate=1e-3, batch_size=32, epochs=20,
                  order=generator(seed, "bench"), frozen_epochs=frozen, frozen_layers=names)  # fmt: skip

    def all_pairs() -> None:
        with ThreadPoolExecutor(CORES) as pool:
            list(pool.map(pair, range(pairs)))

    pair(0)
    marginal = seconds(all_pairs) / pairs
    theirs = notebook["seconds"]["B"]
    return [
        {"what": "pair of B: the notebook's compile + fit", "seconds": theirs},
        {"what": f"pair of B: trainer, marginal at {pairs} pairs", "seconds": marginal,
         "against": "the notebook", "times faster": theirs / marginal, "goal": 100},
    ]  # fmt: skip


def roofline(task: SourceTask, figures: list[Row]) -> list[Row]:
    """Float32 GEMM peak of all cores (NumPy's BLAS, 2048³), and the side-by-side trainer's fraction of it."""
    script = (
        "import numpy as np, time\n"
        "a = np.ones((2048, 2048), np.float32); a @ a; best = 9e9\n"
        "for _ in range(10):\n t = time.perf_counter(); a @ a; best = min(best, time.perf_counter() - t)\n"
        "print(2 * 2048**3 / best)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    peak = float(
        subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True).stdout
    )
    kernels = [784 * 100, 100 * 100, 100 * 100, 100 * 8]
    # Forward and weight gradients for every layer, input gradients for all but the first: 2 FLOP a weight each.
    flop = len(task.train) * 2 * (3 * sum(kernels) - kernels[0])
    rate = flop / figures[2]["seconds"]
    return [
        {"what": f"float32 GEMM peak, {CORES} cores, GFLOP/s", "value": peak / 1e9},
        {"what": "trainer side by side, GFLOP/s", "value": rate / 1e9, "fraction": rate / peak, "goal": 0.4},
    ]


def measured(command: list[str], **environment: str) -> tuple[float, float, str]:
    """(wall seconds, peak MiB of its largest process, standard output) of a command that must succeed."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} failed with exit code {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def whole_flow(rounds: int) -> tuple[list[Row], Row]:
    """Whole processes: the notebook's script; the flow cold at 1 and 5 replicates; fully cached with a server."""
    flow, notebook = [sys.executable, "-m", "flows.transfer_learning"], [sys.executable, "-m", "tests.notebook"]
    peaks: list[float] = []
    script: Row = {}

    def cold(replicates: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            taken, peak, _ = measured([*flow, "--replicates", str(replicates)], HEADSTART_ARTIFACTS=folder)
        peaks.append(peak)
        return taken

    def run_script() -> float:
        taken, _, output = measured(notebook)
        script.update(json.loads(output.splitlines()[-1]))
        return taken

    figures = in_turn(rounds, script=run_script, one=lambda: cold(1), five=lambda: cold(5))
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as address:
        environment = {"HEADSTART_ARTIFACTS": folder, "PREFECT_API_URL": address}
        figures |= in_turn(2 * rounds, cached=lambda: measured([*flow, "--replicates", "5"], **environment)[0])
    rows = [{"what": "whole: the notebook's script (one pair)", "seconds": figures["script"]}]
    for name, what, goal in (("one", "1 replicate", 0.45), ("five", "5 replicates", 0.7)):
        share = figures[name] / figures["script"]
        rows.append({"what": f"whole flow cold, {what}", "seconds": figures[name],
                     "against": "the script", "share of its time": share, "goal": goal})  # fmt: skip
    rows += question_1(figures, script)
    rows.append({"what": "whole flow cached, server running", "seconds": figures["cached"], "goal": 6})
    rows.append({"what": "peak memory of the flow's process, MiB", "value": max(peaks), "goal": 1536})
    return rows, script


def question_1(figures: dict[str, float], notebook: Row, pairs: int = 29) -> list[Row]:
    """The study's first question, cold, scaled from 1 and 5 pairs; against as many runs of the notebook's cells."""
    ours = figures["one"] + (pairs - 1) * (figures["five"] - figures["one"]) / 4
    theirs = pairs * (notebook["seconds"]["A"] + notebook["seconds"]["B"])
    return [
        {"what": f"the notebook's training cells, {pairs} times (scaled from one)", "seconds": theirs},
        {"what": f"whole flow cold, {pairs} pairs (scaled from 1 and 5)", "seconds": ours,
         "against": "the notebook's training cells alone", "times faster": theirs / ours, "goal": 15},
    ]  # fmt: skip


def study() -> list[Row]:
    """The whole study, cold, at 29 pairs; then the pairs of classes on top of it."""
    command = [sys.executable, "-m", "flows.study"]
    with tempfile.TemporaryDirectory() as folder:
        whole, peak, _ = measured(command, HEADSTART_ARTIFACTS=folder)
        classes, peak_classes, _ = measured([*command, "--pairs"], HEADSTART_ARTIFACTS=folder)
    return [
        {"what": "study cold: questions 1, 2, 3 and 5, 29 pairs", "seconds": whole, "goal": 360},
        {"what": "study: question 4 on top, 45 pairs of classes, 3 seeds", "seconds": classes, "goal": 900},
        {"what": "peak memory of the study's process, MiB", "value": max(peak, peak_classes), "goal": 2048},
    ]


def first_task() -> Row:
    """From `prefect deployment run` to the start of the first task, under `make serve`."""
    from tests.operations import QUICK, machine

    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as here:
        here.serve()
        for _ in range(2):  # what is imported for the first time is slower
            here.run("on-demand", replicates=1, experiment=QUICK)
        return {"what": "deployment run to first task", "seconds": here.seconds_to_first_task(), "goal": 8}


class server:  # noqa: N801
    """A Prefect server of the benchmark's own, in a folder, until the block ends."""

    def __init__(self, folder: Path) -> None:
        (folder / "home").mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tasks.server"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PREFECT_HOME": str(folder / "home")},
        )  # fmt: skip

    def __enter__(self) -> str:
        from tasks.server import wait_until_healthy

        assert self.process.stdout
        address = f"http://127.0.0.1:{self.process.stdout.readline().strip()}/api"
        wait_until_healthy(address)
        return address

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


def peers(task: SourceTask, epochs: list[Row], rounds: int) -> list[Row]:
    """One epoch of A, without validation, by whatever is installed of the optional group `peers`."""
    from tests import peers as others

    rows = []
    for name, make, goal in others.PEERS:
        try:
            epoch = make(task.x, task.y)
        except ImportError as missing:
            rows.append({"what": f"epoch of A: {name}", "note": f"not installed ({missing.name})"})
            continue
        taken = in_turn(rounds, peer=lambda epoch=epoch: seconds(epoch))["peer"]
        for trainer in epochs[1:]:
            rows.append({"what": f"epoch of A: {name}", "seconds": taken, "against": trainer["what"],
                         "times slower": taken / trainer["seconds"], "goal": goal})  # fmt: skip
    return rows


RATIOS = ("times faster", "times slower", "share of its time", "fraction")


def show(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "figure", "ratio", "goal")
    for row in rows:
        figure = f"{row['seconds']:.3f} s" if "seconds" in row else row.get("note") or f"{row['value']:.0f}"
        ratio = " ".join(f"{row[name]:.2f} {name}" for name in RATIOS if name in row)
        against = f" against {row['against']}" if "against" in row else ""
        table.add_row(row["what"], figure, ratio + against, str(row.get("goal", "")))
    Console(width=160).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds of the short measurements")
    parser.add_argument("--whole-rounds", type=int, default=3, help="counted rounds of whole processes")
    parser.add_argument("--study", action="store_true", help="the whole study and a deployment too, ten minutes more")
    parser.add_argument("--json", type=Path, default=ROOT / "artifacts" / "bench.json")
    arguments = parser.parse_args()
    rows, notebook = whole_flow(arguments.whole_rounds)
    rows += [first_task(), *study()] if arguments.study else []
    show(rows)

    from tasks.experiment.trainer import set_threads

    set_threads()
    task = SourceTask()
    epochs = epoch_of_a(task, arguments.rounds)
    rows += epochs + target_pair(task, notebook) + roofline(task, epochs)
    rows += peers(task, epochs, arguments.rounds)
    show(rows)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    arguments.json.write_text(json.dumps({"cores": CORES, "bench_peak_mib": own, "rows": rows}, indent=1))
    print(f"Written: {arguments.json}")


if __name__ == "__main__":
    main()
