"""Tests of `tasks/experiment/study/`."""
