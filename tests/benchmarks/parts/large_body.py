"""The benchmark's part of a large model that is brought: 400 photos of 96 × 96, a body of MobileNetV2's size.

Of four classes two are the target, with 100 labels; the weights are random, as speed does not depend on them.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.effort import EPOCHS, Effort
from tests.benchmarks.parts import contestants
from tests.benchmarks.parts.contestants import SEEDS, SIDE, Times
from tests.benchmarks.parts.processes import measured
from tests.benchmarks.rows import Row


def large_body(effort: Effort) -> list[Row]:
    """The frozen part of all seeds, the unfrozen part of the last one, scaled to 20 epochs, and the peaks."""
    times: dict[str, Times] = {}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mobilenet.keras"
        write_model(file)
        for name in ("plain", "ours"):
            command = ["-m", contestants.__name__, name, str(file), str(effort.body_epochs)]
            _, peak, output = measured([sys.executable, *command])
            times[name] = json.loads(output.splitlines()[-1])
            rows.append(Row(f"large body: peak memory, {name}", peak, goal=2048, unit="MiB"))
    for part, both, goal in (
        (f"frozen part of {SEEDS} seeds", [frozen(of) for of in times.values()], 1.5),
        (f"unfrozen part, {EPOCHS} epochs", [unfrozen(of, effort.body_epochs) for of in times.values()], 1.0),
    ):
        (theirs, their_cpu), (mine, my_cpu) = both
        keras = Row(f"large body, {part}: plain Keras", theirs)
        note = f"{my_cpu / their_cpu:.2f} of its CPU time"
        rows += [keras, Row(f"large body, {part}", mine, "share of its time", keras, goal=goal, note=note)]
    return rows


def frozen(times: Times) -> tuple[float, ...]:
    """Wall and CPU seconds of all seeds, with the features that plain Keras makes first."""
    return tuple(
        sum(both[i] for what, both in times.items() if what.startswith(("features", "frozen"))) for i in (0, 1)
    )


def unfrozen(times: Times, epochs: int) -> tuple[float, ...]:
    """Wall and CPU seconds of 20 epochs by the last seed; those it was not trained for take what the later ones did."""
    last = f"unfrozen {SEEDS - 1}"
    pairs = zip(times[last], times[f"later epoch {last}"], strict=True)
    return tuple(took + (EPOCHS - epochs) * later for took, later in pairs)


def write_model(path: Path) -> None:
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(1)
    body = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    scaled = [keras.Input((SIDE, SIDE, 3)), layers.Rescaling(1 / 127.5, -1), body]
    keras.Sequential([*scaled, layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]).save(path)
