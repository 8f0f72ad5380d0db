"""One network of a pair: learning rate and epochs chosen by cross-validation inside its training images."""

from tasks.experiment.data.splits import TrainingData
from tasks.experiment.networks.blueprints import Blueprint
from tasks.experiment.networks.recipe import OnStep, Training, TunedRecipe, unreported
from tasks.experiment.networks.train_network import Body, starting_network
from tasks.experiment.networks.tuning.cross_validation import split_folds, tune
from tasks.experiment.networks.tuning.grid import Grid
from tasks.experiment.networks.tuning.trajectory import Labelled


def tune_network(
    blueprint: Blueprint, data: TrainingData, training: Training, seed: int, body: Body, grid: Grid,
    on_step: OnStep = unreported,
) -> TunedRecipe:  # fmt: skip
    """How to train this network on all of its training images. Its validation images play no part.

    on_step: is told of the trajectories that are tried.
    """
    recipe, tried = tune(
        lambda _: starting_network(blueprint, training, data.classes, seed, body),
        Labelled(data.images, data.training), grid, training.batch_size, seed, on_step,
    )  # fmt: skip
    chosen = next(t for t in tried if (t["learning_rate"], t["epochs"]) == (recipe.learning_rate, recipe.epochs))
    return TunedRecipe(
        learning_rate=recipe.learning_rate, epochs=recipe.epochs, edge=recipe.edge, error=chosen["error"],
        rates=sorted({each["learning_rate"] for each in tried}), most_epochs=max(each["epochs"] for each in tried),
        folds=len(split_folds(data.training, grid.folds, seed)),
    )  # fmt: skip
