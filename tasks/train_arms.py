"""train_arms: all of one seed's networks on task B, each scored on B's whole test set."""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np

from tasks.experiment import dataset
from tasks.experiment.arms import Trial
from tasks.experiment.pixels import load_pixels
from tasks.experiment.randomness import generator
from tasks.experiment.recipe import Experiment
from tasks.experiment.scores import predict, score
from tasks.experiment.splits import first_samples, load_task, shuffled
from tasks.experiment.store import Artifact, save, save_model
from tasks.stage import stage


@stage(run_name="train_arms seed {seed}")
def train_arms(
    data: dataset.DataSet, pixels: Artifact, target: Artifact, experiment: Experiment, plan: tuple[Trial, ...],
    resample_target: bool, seed: int, model_A: Artifact,
) -> Artifact:  # fmt: skip
    """Store runs.json (a row a network), and the models that the plan wants kept as <arm>.keras.

    With `resample_target` the seed draws its own images of task B, of which a smaller budget takes the first ones.
    A network that diverges counts with what it answers: NaN is not above 0.5, so all images are called negative.
    """
    import keras
    import tensorflow as tf

    from tasks.experiment.trainer import DivergedError, set_threads
    from tasks.experiment.training import train_network

    set_threads()
    parts, images = load_task(target), tf.constant(dataset.read_images("train"))
    test_images = dataset.read_images("t10k")[parts["test"].rows]
    pool = shuffled(parts["pool"], generator(seed, "sample/B")) if resample_target else parts["pool"]
    available = np.bincount(pool.labels, minlength=2).min() if experiment.balanced else len(pool)
    mean_and_std = load_pixels(pixels)
    bodies = {"A": keras.saving.load_model(model_A.folder() / "model.keras")}
    negative, positive = experiment.target_class_ids
    rows, kept = [], {}
    for trial in plan:
        if trial.samples is not None and trial.samples > available:
            continue
        arm, model = trial.arm, None
        subset = pool if trial.samples is None else first_samples(pool, trial.samples, balanced=experiment.balanced)
        if arm.body == "random" or bodies[arm.body]:
            with suppress(DivergedError):
                model, _ = train_network(
                    experiment.scratch_training.model_copy(update={"frozen_epochs": arm.frozen_epochs}),
                    mean_and_std, images, parts | {"train": subset}, seed,
                    task="B", classes=2, body=bodies.get(arm.body), layers=arm.layers,
                )  # fmt: skip
        if arm.name == "scratch":
            bodies.setdefault("B", model)
        answers = predict(model, test_images) if model else np.full(len(test_images), np.nan, np.float32)
        scores = score(answers, parts["test"].labels)
        rows.append(
            {"normalization": experiment.normalization, "negative": negative, "positive": positive,
             "samples": len(subset), "arm": arm.name, "body": arm.body, "layers": arm.layers,
             "frozen_epochs": arm.frozen_epochs, "seed": seed, "accuracy": scores["accuracy"],
             "loss": scores["loss"] if model else None, "diverged": model is None}
        )  # fmt: skip
        if trial.keep and model:
            kept[arm.name] = model

    def write(folder: Path) -> None:
        (folder / "runs.json").write_text(json.dumps(rows, indent=1))
        for name, model in kept.items():
            save_model(model, folder / f"{name}.keras")

    return save("train_arms", write)
