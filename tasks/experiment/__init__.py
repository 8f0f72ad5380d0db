"""The experiment itself: plain Python that never imports Prefect."""

import os

# Read by TensorFlow and Keras when they are first imported, wherever that is.
os.environ["KERAS_BACKEND"] = "tensorflow"  # the trainer compiles with it, whatever the user's keras.json says
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # one order of summation on every machine, and no notice about it
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
