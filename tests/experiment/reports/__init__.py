"""Tests of `tasks/experiment/reports/`."""
