"""The flow and the study on data and models that people bring."""
