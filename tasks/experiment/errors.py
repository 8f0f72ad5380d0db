"""What ends a run with one sentence."""

from tasks.storage.files import printable


class UnusableInputError(ValueError):
    """Something that the user gave can't be used; the message is one sentence for the user, on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class DivergedError(ArithmeticError):
    """The loss of a training run is no longer a finite number."""
