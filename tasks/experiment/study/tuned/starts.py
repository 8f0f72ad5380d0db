"""One seed's tuned networks: on which images they are trained, and from which weights each arm starts."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from tasks.experiment.data.splits import Examples, Problem, first_samples, shuffled
from tasks.experiment.networks.architectures import transfer_hidden_layers
from tasks.experiment.networks.blueprints import load_blueprint
from tasks.experiment.networks.bodies.body import draw_like
from tasks.experiment.networks.recipe import Network
from tasks.experiment.networks.tuning.cross_validation import Start
from tasks.experiment.networks.tuning.grid import Recipe, rates_down_from
from tasks.experiment.networks.tuning.trajectory import Course, Labelled, set_weights
from tasks.experiment.randomness import generator
from tasks.experiment.scores import Metric
from tasks.experiment.study.plan import Plan
from tasks.experiment.study.tuned.plan import TunedArm
from tasks.experiment.study.tuned.probe import Features, features, fit_head


class Workbench:
    """What one seed's networks are made of: labelled images, initial weights, bodies.

    model_A: the seed's network of A. permuted: that of A's images with permuted labels; None if no arm needs it.
    """

    def __init__(self, problem: Problem, plan: Plan, seed: int, model_A: Network, permuted: Network | None) -> None:
        from tasks.experiment.networks.resident_images import resident_images

        self.problem, self.plan, self.seed = problem, plan, seed
        self.classes, self.batch_size = len(problem.classes), plan.training.batch_size
        self.blueprint = load_blueprint(problem.start)
        self.images, self.parts = resident_images(problem.data), problem.parts()
        self._pool = shuffled(self.parts["pool"], generator(seed, "sample/B")) if plan.resample else self.parts["pool"]
        like_A = self.initial()
        draw_like(model_A, like_A, seed)
        self.bodies = {"random": None, "A": model_A, "like A": like_A, "permuted A": permuted}

    def initial(self) -> Network:
        """A network with the seed's initial weights."""
        return self.blueprint.build(self.plan.training, self.classes, self.seed)

    def labelled(self, samples: int | None) -> Labelled:
        """The labelled images of a budget: the first ones of the seed's own order."""
        pool = self._pool
        chosen = pool if samples is None else first_samples(pool, samples, balanced=self.plan.balanced)
        return Labelled(self.images, chosen)

    @cached_property
    def validation(self) -> Labelled:
        return Labelled(self.images, self.parts["validation"])

    @cached_property
    def test(self) -> Labelled:
        """Task B's test images alone."""
        import tensorflow as tf

        test = self.parts["test"]
        rows = np.arange(len(test), dtype=np.int32)
        return Labelled(tf.constant(self.problem.data.images("test")[test.rows]), Examples(rows, test.labels))

    def course(
        self, training: Labelled, judged: Labelled, checkpoints: Sequence[int], *, metric: Metric,
        keep: int | None = None,
    ) -> Course:  # fmt: skip
        """In the order of images in which this seed's networks of task B are trained."""
        order = generator(self.seed, "order/B")
        return Course(training, judged, checkpoints, self.batch_size, order, keep=keep, metric=metric)

    def start(self, arm: TunedArm, needed: Recipe | None) -> Start:
        """What makes the network that the arm starts from. needed: the recipe of the arm that it needs."""

        def begin(examples: Examples) -> Network:
            model = self.initial()
            body = self._trained_scratch(examples, needed) if arm.body == "B" else self.bodies[arm.body]
            if body is not None:
                transfer_hidden_layers(body, model)
            if arm.probe and needed:
                inputs = self.head_inputs(model, examples)
                model.layers[-1].set_weights(fit_head(inputs, examples.labels, self.classes, needed.learning_rate))
            return model

        return begin

    def head_inputs(self, model: Network, examples: Examples) -> Features:
        """What the model's head gets of these images."""
        import tensorflow as tf

        return features(model, np.asarray(tf.gather(self.images, examples.rows)))

    def _trained_scratch(self, examples: Examples, recipe: Recipe | None) -> Network:
        """The seed's S* network on these images."""
        assert recipe, "the arm needs scratch's recipe"
        training, model = Labelled(self.images, examples), self.initial()
        course = self.course(training, training, (recipe.epochs,), metric="accuracy")
        set_weights(model, course.follow_soundly(model, rates_down_from(recipe.learning_rate)).weights)
        return model
