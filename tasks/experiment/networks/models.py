"""The trained models of every seed, as handles."""

from tasks.storage.artifacts import Artifact, Handle


class Models(Handle):
    """One model per seed, in the order of seeds: model.keras, and history.json unless it is the user's own model."""

    A: list[Artifact]
    B_scratch: list[Artifact]
    B_on_A: list[Artifact]
