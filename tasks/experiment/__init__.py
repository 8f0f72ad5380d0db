"""The experiment itself: plain Python that never imports Prefect."""

import gc
import os
import sys

from tasks.experiment.lean_keras import RefusedToKeras

sys.meta_path.insert(0, RefusedToKeras())
# These libraries make a million objects that stay. Looking for garbage among them every 700 new ones takes a second.
gc.set_threshold(20_000, 10, 10)
# What TensorFlow, Keras, NumPy, SciPy and matplotlib read of the environment, and of files in the user's home, when
# they are first imported, wherever that is. A result must not depend on it, so none of it is left but TensorFlow's
# logging (DECISIONS.md, "What changes bits").
READ_BY_LIBRARIES = "KERAS_", "TF_", "TF2_", "XLA_", "NVIDIA_TF32_", "NPY_", "SCIPY_", "MPLBACKEND"
for name in list(os.environ):
    if name.startswith(READ_BY_LIBRARIES) and not name.startswith("TF_CPP_"):
        del os.environ[name]
os.environ |= {
    "KERAS_BACKEND": "tensorflow",  # the trainer compiles with it
    "KERAS_HOME": os.devnull,  # no folder: it has no keras.json, so that Keras' own defaults hold
    "MATPLOTLIBRC": os.devnull,
    "TF_ENABLE_ONEDNN_OPTS": "0",  # one order of summation on every machine, and no notice about it
}
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
