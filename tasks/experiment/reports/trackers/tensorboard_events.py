"""A finished run as TensorBoard's event files, inside its own folder: one log per network of a pair, and one in all."""

from pathlib import Path

from tasks.experiment.reports.trackers.tracked import TrackedRun

FOLDER = "tensorboard"  # in the run's


def write(run: TrackedRun, folder: Path) -> str:
    """What shows them. folder: the run's."""
    import tensorflow as tf

    logs = folder / FOLDER
    with tf.summary.create_file_writer(str(logs)).as_default(step=0):
        tf.summary.text("answer", run.answer)
        tf.summary.text("settings", "\n".join(f"    {name}: {value}" for name, value in run.settings.items()))
        for name, value in run.scores.items():
            tf.summary.scalar(name, value)
    for pair in run.pairs:
        for network in {epoch.network for epoch in pair.epochs}:
            with tf.summary.create_file_writer(str(logs / f"{network} seed {pair.seed}")).as_default():
                for epoch in pair.epochs:
                    if epoch.network == network:
                        for name, value in epoch.figures.items():
                            tf.summary.scalar(name, value, step=epoch.number)
    return f"tensorboard --logdir {folder.parent}"
