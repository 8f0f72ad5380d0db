"""The trained models of every seed, as handles."""

from pydantic import BaseModel, ConfigDict

from tasks.storage.artifacts import Artifact


class Models(BaseModel):
    """One model per seed, in the order of seeds: model.keras, and history.json unless it is the user's own model."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    A: list[Artifact]
    B_scratch: list[Artifact]
    B_on_A: list[Artifact]
