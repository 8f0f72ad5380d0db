"""Tests of `tasks/experiment/results/`."""
