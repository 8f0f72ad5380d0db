"""A data set's training images as one tensor, which all networks share that a process trains."""

import threading

import tensorflow as tf

from tasks.experiment.data.dataset import DataSet
from tasks.experiment.networks.program import Tensor

_one_at_a_time = threading.Lock()
_held: tuple[DataSet, Tensor] | None = None


def resident_images(data: DataSet) -> Tensor:
    """uint8, shape (images, *image_shape). Those of the data set that was asked for last stay in memory."""
    global _held
    with _one_at_a_time:
        if _held is None or _held[0] != data:
            _held = None  # make room
            _held = data, tf.constant(data.images("train"))
        return _held[1]
