"""Tests of `tasks/experiment/study/tuned/`."""
