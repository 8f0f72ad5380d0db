"""Tests of `tasks/experiment/networks/bodies/`."""
