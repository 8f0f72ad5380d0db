"""Tests of `tasks/experiment/`: plain Python, no Prefect."""
