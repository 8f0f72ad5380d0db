"""Tests of `tasks/experiment/networks/`."""
