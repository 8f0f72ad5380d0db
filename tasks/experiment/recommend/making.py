"""How a method makes a network of labelled images: its start, its head, its training."""

import functools
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tasks.experiment.data.splits import Examples, Problem
from tasks.experiment.networks.blueprints import BodyBlueprint, load_blueprint
from tasks.experiment.networks.bodies.frozen import head_inputs
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.train_network import RANDOM, Body, starting_network
from tasks.experiment.networks.tuning.cross_validation import fold_numbers
from tasks.experiment.networks.tuning.grid import Grid, Recipe, choose, rates_down_from
from tasks.experiment.networks.tuning.trajectory import Course, Labelled, set_weights
from tasks.experiment.randomness import generator
from tasks.experiment.recommend.augmentation import of_copies, with_copies
from tasks.experiment.recommend.methods import Method
from tasks.experiment.scores import Labels
from tasks.experiment.study.tuned.probe import Features, Head, cross_validate_probe, fit_head

Rows = NDArray[np.intp]  # of the labelled images


class Bench:
    """Labelled images and one method, whose networks are all made here.

    images: uint8, (n, *shape of one); labels: (n,). inputs: what the method's head gets of each image and its copies,
    if that is known already. seed: of initial weights and of the order of images, the same for all methods.
    """

    def __init__(
        self, method: Method, images: NDArray[np.uint8], labels: Labels, classes: int, seed: int,
        inputs: Features | None = None,
    ) -> None:  # fmt: skip
        self.method, self.images, self.labels, self.classes, self.seed = method, images, labels, classes, seed
        self._blueprint = load_blueprint(method.start)
        one_blas_thread()
        if inputs is not None:
            self.inputs = inputs

    @classmethod
    def of(cls, problem: Problem, method: Method, seed: int, inputs: Features | None = None) -> Self:
        """For the labelled images of a problem."""
        training = problem.parts()["training"]
        images = np.asarray(problem.data.images("train")[training.rows])
        return cls(method, images, training.labels, len(problem.classes), seed, inputs)

    def untrained(self) -> Network:
        """The network as it starts, with random weights in its head."""
        body = Body(self._blueprint.body) if isinstance(self._blueprint, BodyBlueprint) else RANDOM
        return starting_network(self._blueprint, self.method.training, self.classes, self.seed, body)

    @cached_property
    def inputs(self) -> Features:
        """What the head gets of images and copies while the layers before it are as they start, (…, units)."""
        return head_inputs(self.untrained(), self._images).reshape(len(self._images), -1)

    def head(self, rows: Rows, penalty: float) -> Head:
        """A head fitted to these images: the classes' shares, or logistic regression with this penalty."""
        if self.method.head == "probe":
            places = self._places(rows)
            return fit_head(self.inputs[places], self._labels[places], self.classes, penalty)
        return prior_head(self.labels[rows], self.classes, self.inputs.shape[1])

    def start(self, rows: Rows, penalties: Grid) -> Network:
        """The network as its training begins. A probe's penalty is chosen by cross-validation inside these images."""
        model = self.untrained()
        if self.method.head == "probe":
            places = self._places(rows)
            folds = fold_numbers(self.labels[rows], penalties.folds, self.seed)
            folds = np.tile(folds, len(places) // len(rows))  # copies are held out with their image
            tried = cross_validate_probe(self.inputs[places], self._labels[places], self.classes, folds, penalties)
            model.layers[-1].set_weights(self.head(rows, choose(tried).learning_rate))
        return model

    def course(self, rows: Rows, judged: Rows, checkpoints: tuple[int, ...]) -> Course:
        """Trajectories on these images, judged by those, with the answers at each checkpoint."""
        batch_size, order = self.method.training.batch_size, generator(self.seed, "order/B")
        training, judging = self._labelled(self._places(rows)), self._labelled(judged)
        return Course(training, judging, checkpoints, batch_size, order, answers=True)

    def make(self, recipe: Recipe, penalties: Grid) -> Network:
        """The method's network of all labelled images, compiled for Keras. recipe: a probe's rate is its penalty."""
        from tasks.experiment.networks.program import compile_for_keras

        everything = np.arange(len(self.labels))
        if self.method.trained:
            model = self.start(everything, penalties)
            course = self.course(everything, everything, (recipe.epochs,))
            set_weights(model, course.follow_soundly(model, rates_down_from(recipe.learning_rate)).weights)
        else:
            model = self.untrained()
            model.layers[-1].set_weights(self.head(everything, recipe.learning_rate))
        compile_for_keras(model, recipe.learning_rate or 0.01)
        return model

    @cached_property
    def _images(self) -> NDArray[np.uint8]:
        """With their copies."""
        return with_copies(self.images, self.method.augmentation)

    @cached_property
    def _labels(self) -> Labels:
        return np.tile(self.labels, self.changes)

    @property
    def changes(self) -> int:
        """How often each image is there: itself and its copies."""
        return len(self._images) // len(self.images)

    def _places(self, rows: Rows) -> Rows:
        return of_copies(rows, len(self.images), self.changes)

    def _labelled(self, places: Rows) -> Labelled:
        return Labelled(self._tensor, Examples(places.astype(np.int32), self._labels[places].astype(np.int32)))

    @cached_property
    def _tensor(self) -> Any:
        import tensorflow as tf

        return tf.constant(self._images)


@functools.cache
def one_blas_thread() -> None:
    """From now on in this process: fits as small as a probe's spend most of their time on waking up more threads."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")


def prior_head(labels: Labels, classes: int, units: int) -> Head:
    """A head that gives each class its share of the labels, whatever the image."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    logits = np.log(np.maximum(counts, 1e-3) / counts.sum())
    bias = logits[1:] - logits[:1] if classes == 2 else logits
    return np.zeros((units, len(bias)), np.float32), bias.astype(np.float32)
