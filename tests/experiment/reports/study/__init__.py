"""Tests of `tasks/experiment/reports/study/`."""
