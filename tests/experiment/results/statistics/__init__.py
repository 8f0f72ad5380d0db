"""Tests of `tasks/experiment/results/statistics/`."""
