"""What ends a run with one sentence."""


class UnusableInputError(ValueError):
    """Something that the user gave can't be used; the message is one sentence for the user."""


class DivergedError(ArithmeticError):
    """The loss of a training run is no longer a finite number."""
