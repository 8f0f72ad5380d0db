"""Tests of `tasks/experiment/data/`."""
