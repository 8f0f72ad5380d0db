"""The trained models of every seed, as handles."""

from typing import Self

from pydantic import Field

from tasks.storage.artifacts import Artifact, Handle


class Models(Handle):
    """One model per seed, in the order of seeds: model.keras, and history.json unless it is the user's own model."""

    A: list[Artifact] = Field(default_factory=list)
    B_scratch: list[Artifact] = Field(default_factory=list)
    B_on_A: list[Artifact] = Field(default_factory=list)

    def __add__(self, more: Self) -> Self:
        """These models, then those of more seeds."""
        return type(self)(
            A=self.A + more.A, B_scratch=self.B_scratch + more.B_scratch, B_on_A=self.B_on_A + more.B_on_A
        )
