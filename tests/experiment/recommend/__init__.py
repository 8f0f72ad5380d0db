"""Tests of `tasks/experiment/recommend/`."""
