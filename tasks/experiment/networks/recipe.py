"""How one network is trained, as plain data."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Training(BaseModel):
    """Plain SGD on shuffled batches."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    network: Literal["mlp", "cnn"] = "mlp"
    hidden_layers: int
    hidden_units: int
    learning_rate: float
    batch_size: int
    epochs: int
    frozen_epochs: int = 0
