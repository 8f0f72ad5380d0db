"""Keras and TensorFlow without pandas, scikit-learn, matplotlib and JAX, which they import to be of use to their users.

No network here needs them, and without them TensorFlow's import takes two thirds of its time and three quarters of its
memory (JAX, where it is installed, would add another 160 MiB). Only these two are refused them: who else imports them
gets them.
"""

import sys
from importlib.abc import MetaPathFinder
from types import FrameType
from typing import Any

REFUSED = {"keras": {"pandas", "sklearn", "matplotlib", "jax"}, "tensorflow": {"jax"}}


class RefusedToKeras(MetaPathFinder):
    """Says to Keras and TensorFlow that what they can do without is not installed."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name not in set().union(*REFUSED.values()):
            return
        importer = _importer(sys._getframe(1)).split(".")[0]
        if name in REFUSED.get(importer, ()):
            raise ModuleNotFoundError(f"{name} is not for {importer} here", name=name)


def _importer(frame: FrameType | None) -> str:
    """The module that imports: the nearest one that is not part of the import system."""
    while frame and frame.f_globals.get("__name__", "").startswith("importlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")) if frame else ""
