"""The notebook's experiment as a plain script: `python -m tests.walkthrough.notebook --seed 42 [--raw]`.

Its cells as they are (float64 pixels, `compile` + `fit`), but for what can't run: the data comes from data/raw, the
seed is an argument, and model A is saved with the suffix that Keras 3 wants. Without --raw it trains on the scaled
pixels that its prose means; with --raw on what its code really passes.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any


def run(seed: int, raw: bool, epochs_a: int = 20) -> dict[str, Any]:
    """Accuracies of both models, and seconds: of each part's training, and of an epoch of A after the first one."""
    import numpy as np
    import tensorflow as tf

    from tasks.experiment.data import fashion_mnist, mirrors

    seconds: dict[str, float] = {}
    mirrors.fetch()
    data = fashion_mnist.data_set()
    x_full, y_full, x_test, y_test = (read(part) for part in ("train", "test") for read in (data.images, data.labels))
    x_train, y_train, x_valid, y_valid = x_full[:-5000], y_full[:-5000], x_full[-5000:], y_full[-5000:]
    if not raw:
        means, stds = x_train.mean(axis=0, keepdims=True), x_train.std(axis=0, keepdims=True)
        x_train, x_valid, x_test = ((x - means) / stds for x in (x_train, x_valid, x_test))

    def split_dataset(x: Any, y: Any) -> Any:
        for_b = (y == 2) | (y == 0)
        y_a = np.searchsorted([1, 3, 4, 5, 6, 7, 8, 9], y[~for_b])
        return (x[~for_b], y_a), (x[for_b], (y[for_b] == 2).astype(np.float32))

    (x_train_a, y_train_a), (x_train_b, y_train_b) = split_dataset(x_train, y_train)
    (x_valid_a, y_valid_a), (x_valid_b, y_valid_b) = split_dataset(x_valid, y_valid)
    _, (x_test_b, y_test_b) = split_dataset(x_test, y_test)
    x_train_b, y_train_b = x_train_b[:200], y_train_b[:200]

    def body() -> list[Any]:
        dense = tf.keras.layers.Dense
        return [tf.keras.layers.Flatten()] + [
            dense(100, activation="relu", kernel_initializer="he_normal") for _ in range(3)
        ]

    def fit(model: Any, loss: str, x: Any, y: Any, epochs: int, validation: Any, part: str) -> None:
        start, ends = time.perf_counter(), []
        clock = tf.keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
        model.compile(loss=loss, optimizer=tf.keras.optimizers.SGD(learning_rate=0.001), metrics=["accuracy"])
        model.fit(x, y, epochs=epochs, validation_data=validation, verbose=2, callbacks=[clock])
        seconds[part] = seconds.get(part, 0) + time.perf_counter() - start
        if part == "A":
            seconds["later epoch of A"] = (ends[-1] - ends[0]) / max(1, epochs - 1)

    tf.random.set_seed(seed)
    model_a = tf.keras.Sequential([tf.keras.Input([28, 28]), *body(), tf.keras.layers.Dense(8, activation="softmax")])
    fit(model_a, "sparse_categorical_crossentropy", x_train_a, y_train_a, epochs_a, (x_valid_a, y_valid_a), "A")
    with tempfile.TemporaryDirectory() as folder:
        model_a.save(Path(folder) / "my_model_A.keras")
        model_a = tf.keras.models.load_model(Path(folder) / "my_model_A.keras")

    tf.random.set_seed(seed)
    model_b = tf.keras.Sequential([tf.keras.Input([28, 28]), *body(), tf.keras.layers.Dense(1, activation="sigmoid")])
    valid_b = (x_valid_b, y_valid_b)
    fit(model_b, "binary_crossentropy", x_train_b, y_train_b, 20, valid_b, "B")
    scratch = model_b.evaluate(x_test_b, y_test_b, verbose=0)[1]

    clone = tf.keras.models.clone_model(model_a)
    clone.set_weights(model_a.get_weights())
    model_b_on_a = tf.keras.Sequential(clone.layers[:-1])
    tf.random.set_seed(seed)
    model_b_on_a.add(tf.keras.layers.Dense(1, activation="sigmoid"))
    for trainable, epochs in ((False, 4), (True, 16)):
        for layer in model_b_on_a.layers[:-1]:
            layer.trainable = trainable
        fit(model_b_on_a, "binary_crossentropy", x_train_b, y_train_b, epochs, valid_b, "B")
    transfer = model_b_on_a.evaluate(x_test_b, y_test_b, verbose=0)[1]
    return {"seed": seed, "raw": raw, "scratch": scratch, "transfer": transfer, "seconds": seconds}


def compare(runs: list[dict[str, Any]], metrics: Path) -> dict[str, Any]:
    """Means of several runs beside those of a run of the flow, and Welch's test of their difference."""
    import numpy as np
    from scipy.stats import ttest_ind

    pairs = json.loads(metrics.read_text())["replicates"]
    compared = {}
    for arm in ("scratch", "transfer"):
        theirs, ours = [run[arm] for run in runs], [pair[arm]["accuracy"] for pair in pairs]
        p = ttest_ind(theirs, ours, equal_var=False).pvalue
        compared[arm] = {"notebook": np.mean(theirs), "flow": np.mean(ours), "welch_p": p}
    return compared


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[42])
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("--epochs", type=int, default=20, help="of task A; its accuracies mean something with 20")
    parser.add_argument("--against", type=Path, help="metrics.json of a run of the flow, to compare with")
    arguments = parser.parse_args()
    done = []
    for given in arguments.seed:
        done.append(run(given, arguments.raw, arguments.epochs))
        print(json.dumps(done[-1]), flush=True)
    if arguments.against:
        print(json.dumps(compare(done, arguments.against)))
