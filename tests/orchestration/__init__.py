"""Tests of `tasks/orchestration/`."""
