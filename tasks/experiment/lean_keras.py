"""Keras without pandas, scikit-learn and matplotlib, which it imports to be of use to their users.

No network here needs them, and without them TensorFlow's import takes two thirds of its time and three quarters of its
memory. Only Keras is refused them: who else imports them gets them.
"""

import sys
from importlib.abc import MetaPathFinder
from types import FrameType
from typing import Any

REFUSED = {"pandas", "sklearn", "matplotlib"}


class RefusedToKeras(MetaPathFinder):
    """Says to Keras that what it can do without is not installed."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name in REFUSED and _importer(sys._getframe(1)).split(".")[0] == "keras":
            raise ModuleNotFoundError(f"{name} is not for Keras here", name=name)


def _importer(frame: FrameType | None) -> str:
    """The module that imports: the nearest one that is not part of the import system."""
    while frame and frame.f_globals.get("__name__", "").startswith("importlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")) if frame else ""
