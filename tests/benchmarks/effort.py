"""How much work the benchmark does: all of it, or little, from which it scales the same figures."""

from dataclasses import dataclass

EPOCHS = 20  # the notebook's, of each task; the large body's too
FOLDS = 5


@dataclass(frozen=True)
class Effort:
    """rounds: counted turns of what takes seconds. processes: of whole processes; warm_up: another one, not counted.

    Of these much is done, and the rest scaled: source_epochs of the notebook's script, of 20; body_epochs of a large
    body, of 20; fit_folds of a cross-validation by `fit`, of 5. What can't be scaled is asked less: question, by flags.
    """

    rounds: int
    processes: int
    warm_up: bool
    source_epochs: int
    body_epochs: int
    fit_folds: int
    question: tuple[str, ...] = ()
    title: str | None = None


FULL = Effort(rounds=5, processes=3, warm_up=True, source_epochs=EPOCHS, body_epochs=EPOCHS, fit_folds=FOLDS)
QUICK = Effort(
    rounds=2, processes=1, warm_up=False, source_epochs=4, body_epochs=3, fit_folds=1, question=("--question.quick",),
    title="QUICK: the rows of `make bench` from less work, scaled. Ratios are rough; figures are not for the docs.",
)  # fmt: skip
