"""Tests of `tasks/experiment/reports/recommend/`."""
