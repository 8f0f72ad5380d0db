"""Tests of `tasks/experiment/networks/tuning/`."""
