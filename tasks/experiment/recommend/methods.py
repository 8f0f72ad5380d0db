"""What may be recommended, as plain data: where a network starts from, its head, and whether it is trained."""

from typing import Literal

from pydantic import Field

from tasks.experiment.networks.recipe import Training
from tasks.experiment.networks.tuning.grid import Grid
from tasks.experiment.recommend.augmentation import Augmentation
from tasks.storage.artifacts import Artifact, Handle

Head = Literal["prior", "probe", "random"]
How = Literal["probe", "fine-tune", "probe-then-fine-tune"]
HOWS: dict[How, tuple[Head, bool]] = {
    "probe": ("probe", False), "fine-tune": ("random", True), "probe-then-fine-tune": ("probe", True),
}  # fmt: skip
MAJORITY, LOGISTIC, SCRATCH = "always the most frequent class", "logistic regression on the pixels", "scratch"
BASELINES = (MAJORITY, LOGISTIC, SCRATCH)


class Source(Handle):
    """A body to build on: what it is called, and the artifact that `import_A` or `cut_body` stored.

    is_large: to train it would take hours on a CPU.
    """

    name: str
    body: Artifact
    is_large: bool = False


class Method(Handle):
    """One way to make a model of labelled images.

    start: what its network is built from: pixels, or a source's body, with whose weights it then begins. training: the
    kind of network that is built from pixels. head: the classes' shares and nothing else ("prior"), a converged
    logistic regression on what the head gets ("probe"), or initial weights. trained: all layers are then trained by
    SGD. augmentation: with which copies of the images. name, source: for people; they are in no cache key.
    """

    start: Artifact
    training: Training
    head: Head
    trained: bool
    augmentation: Augmentation = "none"
    name: str = Field(exclude=True)
    source: str = Field(default="", exclude=True)


class Judging(Handle):
    """How all methods are judged: folds and what is tried inside of them.

    grid: learning rates and steps of what is trained. penalties: on a probe's squared weights.
    """

    folds: int = 5
    repetitions: int = 4
    grid: Grid = Field(default_factory=lambda: Grid(rates=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3), steps=500))
    penalties: Grid = Field(default_factory=lambda: Grid(rates=(0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0), folds=3))


def methods(
    pixels: Artifact, training: Training, sources: list[Source], hows: tuple[How, ...],
    augmentation: Augmentation = "none",
) -> list[Method]:  # fmt: skip
    """The baselines, and each source with each of these ways to use it. Another way is another line in HOWS.

    hows: empty: all, but of a large source only those that don't train it. augmentation: what learns of the images is
    there a second time, with these copies of them.
    """
    flat = training.model_copy(update={"network": "mlp", "hidden_layers": 0})  # a head on the pixels

    def on_pixels(name: str, how: Training, head: Head, trained: bool) -> Method:
        return Method(start=pixels, training=how, head=head, trained=trained, name=name)

    plain = [
        on_pixels(MAJORITY, flat, "prior", False),
        on_pixels(LOGISTIC, flat, "probe", False),
        on_pixels(SCRATCH, training, "random", True),
        *(
            Method(
                start=source.body, training=training, head=HOWS[how][0], trained=HOWS[how][1],
                name=f"{how.replace('-then-', ' then ')} {source.name}", source=source.name,
            )
            for source in sources
            for how in hows or [how for how, (_, trained) in HOWS.items() if not (trained and source.is_large)]
        ),
    ]  # fmt: skip
    return [twin for each in plain for twin in _twins(each, augmentation)]


def _twins(method: Method, augmentation: Augmentation) -> list[Method]:
    """The method, and the same with copies if it learns anything of the images."""
    if augmentation == "none" or method.head == "prior":
        return [method]
    name = f"{method.name}, with {augmentation}"
    return [method, method.model_copy(update={"augmentation": augmentation, "name": name})]
